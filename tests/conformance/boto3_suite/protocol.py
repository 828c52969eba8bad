"""What every call has in common: signatures, roles, unknown operations, the form of an answer."""

import json
import os
import unittest.mock
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from box import BOTOCORE, Case, ENDPOINT, OPERATOR, PHOTO, client, configured_arn


class Protocol(Case):
    """Signatures, roles, unknown operations."""

    def test_who_may_not(self):
        describe_projects = {"MaxResults": 1}
        wrong = client(secret="guessed")
        self.refused("InvalidSignatureException", wrong.describe_projects, **describe_projects)
        self.refused("UnrecognizedClientException", client("AKIDNOBODY").describe_projects, **describe_projects)
        unsigned = client(signature_version=UNSIGNED)
        self.refused("MissingAuthenticationTokenException", unsigned.describe_projects, **describe_projects)
        camera = client("AKIDCAMERA", "camera-secret")
        image = {"Bytes": PHOTO}
        denied = self.refused("AccessDeniedException", camera.describe_projects, **describe_projects)
        self.assertIn("rekognition:DescribeProjects", denied["Error"]["Message"])
        self.refused("AccessDeniedException", camera.detect_labels, Image=image)
        self.refused("AccessDeniedException", camera.detect_custom_labels, ProjectVersionArn=configured_arn(), Image=image)

    def test_what_no_sdk_sends(self):
        def post(body, **headers):
            headers = {"X-Amz-Target": "RekognitionService.DescribeProjects", **headers}
            headers["Content-Type"] = "application/x-amz-json-1.1"
            request = urllib.request.Request(ENDPOINT, data=body, headers=headers)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            with caught.exception as error:
                self.assertEqual((error.status, error.headers["content-type"]), (400, headers["Content-Type"]))
                return json.loads(error.read())["__type"]

        self.assertEqual(post(b"{}"), "MissingAuthenticationTokenException")
        self.assertEqual(post(b"{}", Authorization="Basic YWJj"), "IncompleteSignatureException")
        for body in (b"", b"[", b"[]", b'{"MaxResults": "ten"}', b'{"MaxResults": 1.5}', b"\xff"):
            # Signed as boto3 does it, with a body that boto3 would not send.
            request = AWSRequest("POST", ENDPOINT + "/", data=body)
            request.headers["X-Amz-Target"] = "RekognitionService.DescribeProjects"
            request.headers["Content-Type"] = "application/x-amz-json-1.1"
            SigV4Auth(Credentials("AKIDOPERATOR", "operator-secret"), "rekognition", "us-east-1").add_auth(request)
            self.assertEqual(post(body, **dict(request.headers)), "SerializationException", body)

    def test_what_a_box_does_not_have(self):
        self.refused("AccessDeniedException", OPERATOR.detect_faces, Image={"Bytes": PHOTO})
        self.refused("AccessDeniedException", OPERATOR.list_stream_processors)
        self.refused("AccessDeniedException", OPERATOR.get_celebrity_info, Id="x")

    def test_an_endpoint_may_have_a_path(self):
        self.assertTrue(client(path="/rek/").describe_projects()["ProjectDescriptions"])

    @unittest.skipIf(BOTOCORE < (1, 31), "boto3 reads it since 1.28")
    def test_the_environment_may_name_the_endpoint(self):
        keys = {"aws_access_key_id": "AKIDOPERATOR", "aws_secret_access_key": "operator-secret"}
        with unittest.mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_REKOGNITION": ENDPOINT}):
            named = boto3.client("rekognition", region_name="eu-west-1", **keys)
        self.assertTrue(named.describe_projects()["ProjectDescriptions"])

    def test_an_answer_has_an_id_and_a_date(self):
        answer = OPERATOR.describe_projects()["ResponseMetadata"]
        self.assertRegex(answer["RequestId"], r"^[0-9a-f-]{36}$")
        self.assertIn("date", answer["HTTPHeaders"])
        self.assertEqual(answer["HTTPHeaders"]["content-type"], "application/x-amz-json-1.1")
