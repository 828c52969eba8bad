"""The operations, bounds and errors of the AWS-compatible API, by boto3.

Started by `tests/rekognition.rs` and `make conformance`, which start the daemon and say where it is:
OCELLI_ENDPOINT, OCELLI_PHOTO (a picture with a person), OCELLI_BUCKET_DIRECTORY (the bucket `files`).
"""

import io
import json
import os
import pathlib
import re
import threading
import time
import unittest
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, WaiterError
from PIL import Image

ENDPOINT = os.environ["OCELLI_ENDPOINT"]
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
BUCKET = pathlib.Path(os.environ["OCELLI_BUCKET_DIRECTORY"])
ONCE = {"max_attempts": 1, "mode": "standard"}
OUTPUT = {"S3Bucket": "files", "S3KeyPrefix": "edge"}


def client(key="AKIDOPERATOR", secret="operator-secret", **config):
    config.setdefault("retries", ONCE)
    return boto3.client(
        "rekognition",
        endpoint_url=ENDPOINT,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(**config),
    )


OPERATOR = client()


def picture(width, height, kind="JPEG", **save):
    data = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 40)).save(data, kind, **save)
    return data.getvalue()


def padded(size):
    """The photo with bytes behind its end, which decoders ignore."""
    return PHOTO + b"\0" * (size - len(PHOTO))


def configured_arn():
    project = OPERATOR.describe_projects(ProjectNames=["coco-ssd"])["ProjectDescriptions"][0]["ProjectArn"]
    return OPERATOR.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


def describe(project, name):
    found = OPERATOR.describe_project_versions(ProjectArn=project, VersionNames=[name])
    return next(iter(found["ProjectVersionDescriptions"]), None)


def wait_for(project, name, *statuses):
    end = time.monotonic() + 60
    while (now := describe(project, name)["Status"]) not in statuses:
        assert time.monotonic() < end, f"{name} is {now} and not {statuses}"
        time.sleep(0.1)
    return now


class Case(unittest.TestCase):
    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        response = caught.exception.response
        self.assertEqual(response["Error"]["Code"], code, response)
        self.assertTrue(response["Error"]["Message"], response)
        # No answer names a place on the box.
        self.assertNotRegex(response["Error"]["Message"], r"/(tmp|var|home|root|proc|dev|srv)\b")
        return response


class Detection(Case):
    """DetectCustomLabels and DetectLabels."""

    @classmethod
    def setUpClass(cls):
        cls.arn = configured_arn()

    def detect(self, image=None, **more):
        image = {"Bytes": PHOTO} if image is None else image
        return OPERATOR.detect_custom_labels(ProjectVersionArn=self.arn, Image=image, **more)["CustomLabels"]

    def test_a_photo_shows_a_person_with_a_box(self):
        labels = self.detect()
        person = next(label for label in labels if label["Name"] == "person")
        box = person["Geometry"]["BoundingBox"]
        self.assertTrue(0 < box["Left"] < 1 and 0 < box["Width"] < 1, box)
        self.assertNotIn("Polygon", person["Geometry"])
        confidences = [label["Confidence"] for label in labels]
        self.assertEqual(confidences, sorted(confidences, reverse=True))
        self.assertTrue(all(50 <= confidence <= 100 for confidence in confidences))

    def test_the_confidence_asked_for_alone_decides(self):
        few, many = self.detect(MinConfidence=90), self.detect(MinConfidence=5.5)
        self.assertLess(len(few), len(self.detect()))
        self.assertGreater(len(many), len(self.detect()))
        self.assertGreaterEqual(min(label["Confidence"] for label in many), 5.5)
        self.assertTrue(len(self.detect(MinConfidence=0)) >= len(many))

    def test_max_results_keeps_the_surest_and_zero_keeps_all(self):
        everything = self.detect(MinConfidence=5)
        self.assertEqual(self.detect(MinConfidence=5, MaxResults=1), everything[:1])
        self.assertEqual(self.detect(MinConfidence=5, MaxResults=0), everything)

    def test_nothing_seen_is_an_empty_list(self):
        self.assertEqual(self.detect({"Bytes": picture(640, 480)}), [])

    def test_numbers_outside_their_bounds(self):
        for wrong in ({"MinConfidence": 101}, {"MinConfidence": 100.1}):
            self.refused("ValidationException", self.detect, **wrong)

    def test_exif_orientation_is_applied_first(self):
        upright = Image.open(io.BytesIO(PHOTO))
        exif = Image.Exif()
        exif[0x0112] = 6  # The camera was turned: shown upright, this is `upright`.
        data = io.BytesIO()
        upright.transpose(Image.Transpose.ROTATE_90).save(data, "JPEG", quality=95, exif=exif)
        turned = next(label for label in self.detect({"Bytes": data.getvalue()}) if label["Name"] == "person")
        straight = next(label for label in self.detect() if label["Name"] == "person")
        for side in ("Left", "Top", "Width", "Height"):
            self.assertAlmostEqual(
                turned["Geometry"]["BoundingBox"][side], straight["Geometry"]["BoundingBox"][side], delta=0.02
            )

    def test_sides_and_aspect_at_their_bounds(self):
        for kind in ("JPEG", "PNG"):
            for width, height in ((64, 64), (64, 1280), (4096, 4096)):
                self.assertEqual(self.detect({"Bytes": picture(width, height, kind)}), [], (kind, width, height))
            for width, height in ((63, 64), (64, 63), (64, 1281), (1, 1)):
                image = {"Bytes": picture(width, height, kind)}
                self.refused("InvalidParameterException", self.detect, image)
            self.refused("ImageTooLargeException", self.detect, {"Bytes": picture(4097, 4000, kind)})

    def test_bytes_at_their_bounds(self):
        self.assertTrue(self.detect({"Bytes": padded(4 << 20)}))
        self.refused("ImageTooLargeException", self.detect, {"Bytes": padded((4 << 20) + 1)})
        self.refused("ImageTooLargeException", self.detect, {"Bytes": padded(5 << 20)})
        message = self.refused("ValidationException", self.detect, {"Bytes": padded((5 << 20) + 1)})
        self.assertRegex(message["Error"]["Message"], "'image.bytes' failed to satisfy constraint")
        self.refused("ValidationException", self.detect, {"Bytes": padded(9 << 20)})
        self.refused("ValidationException", self.detect, {"Bytes": b""})

    def test_what_is_no_picture(self):
        gif = io.BytesIO()
        Image.new("RGB", (100, 100)).save(gif, "GIF")
        for data in (b"hello", gif.getvalue(), PHOTO[:2000], picture(200, 200, "PNG")[:100]):
            self.refused("InvalidImageFormatException", self.detect, {"Bytes": data})
        self.refused("InvalidParameterException", self.detect, {})
        both = {"Bytes": PHOTO, "S3Object": {"Bucket": "files", "Name": "photo.jpg"}}
        self.refused("InvalidParameterException", self.detect, both)

    def test_objects_in_a_bucket(self):
        def at(name, bucket="files", **more):
            return {"S3Object": {"Bucket": bucket, "Name": name, **more}}

        self.assertEqual(self.detect(at("photo.jpg")), self.detect())
        self.assertEqual(self.detect(at("yard/photo.jpg")), self.detect())
        (BUCKET / "large.jpg").write_bytes(padded(15 << 20))
        self.assertEqual(self.detect(at("large.jpg")), self.detect())
        (BUCKET / "larger.jpg").write_bytes(padded((15 << 20) + 1))
        self.refused("ImageTooLargeException", self.detect, at("larger.jpg"))
        for image in (
            at("no.jpg"),
            at("photo.jpg", "other"),
            at("../secret.jpg"),
            at("yard/../../secret.jpg"),
            at("/etc/hostname"),
            at("link.jpg"),
            at("linked/secret.jpg"),
            at("yard"),
            at("pipe"),
            at("photo.jpg", Version="7"),
        ):
            self.refused("InvalidS3ObjectException", self.detect, image)

    def test_a_version_that_is_not_there(self):
        for arn in (
            self.arn[:-1] + str((int(self.arn[-1]) + 1) % 10),
            self.arn.replace("us-east-1", "us-west-2"),
            self.arn.replace("000000000000", "111111111111"),
            self.arn.replace("/version/", "/version/x"),
        ):
            self.refused("ResourceNotFoundException", OPERATOR.detect_custom_labels, ProjectVersionArn=arn, Image={"Bytes": PHOTO})
        for arn in ("arn:aws:rekognition:us-east-1:000000000000:collection/faces", "x" * 30):
            self.refused("ValidationException", OPERATOR.detect_custom_labels, ProjectVersionArn=arn, Image={"Bytes": PHOTO})

    def test_general_labels_have_instances_parents_and_filters(self):
        found = OPERATOR.detect_labels(Image={"Bytes": PHOTO})
        self.assertEqual(found["LabelModelVersion"], "3.0")
        labels = {label["Name"]: label for label in found["Labels"]}
        self.assertEqual(len(labels["Person"]["Instances"]), 1)
        self.assertEqual(labels["Person"]["Parents"], [])
        self.assertEqual(labels["Sports Ball"]["Parents"], [{"Name": "Sports Equipment"}, {"Name": "Sport"}])
        self.assertEqual(labels["Sport"]["Instances"], [])
        self.assertTrue(all(label["Confidence"] >= 55 for label in found["Labels"]))

        def names(**more):
            return {label["Name"] for label in OPERATOR.detect_labels(Image={"Bytes": PHOTO}, **more)["Labels"]}

        def general(**filters):
            return {"Settings": {"GeneralLabels": filters}}

        self.assertEqual(names(**general(LabelInclusionFilters=["Person"])), {"Person"})
        self.assertEqual(names(**general(LabelCategoryExclusionFilters=["Sports"])), {"Person"})
        self.assertEqual(len(names(MaxLabels=1)), 1)
        self.assertEqual(names(Features=["GENERAL_LABELS"]), set(labels))
        self.refused("InvalidParameterException", names, Features=["IMAGE_PROPERTIES"])
        self.refused("ValidationException", names, **general(LabelInclusionFilters=["x" * 51]))
        self.refused("ValidationException", names, **general(LabelInclusionFilters=["x"] * 101))

    def test_general_labels_take_five_mebibytes_and_eighty_pixels(self):
        def detect(data):
            return OPERATOR.detect_labels(Image={"Bytes": data})["Labels"]

        self.assertTrue(detect(padded(5 << 20)))
        self.assertEqual(detect(picture(80, 80)), [])
        self.assertEqual(detect(picture(10_000, 80, "PNG")), [])
        self.refused("InvalidParameterException", detect, picture(79, 80))
        self.refused("ImageTooLargeException", detect, picture(10_001, 80, "PNG"))
        self.refused("ImageTooLargeException", detect, picture(8_000, 8_000))


class Projects(Case):
    """Projects, versions, tags."""

    def test_a_project_from_its_beginning_to_its_end(self):
        arn = OPERATOR.create_project(ProjectName="short-lived")["ProjectArn"]
        self.assertRegex(arn, r"^arn:aws:rekognition:us-east-1:000000000000:project/short-lived/[0-9]+$")
        self.refused("ResourceInUseException", OPERATOR.create_project, ProjectName="short-lived")
        found = OPERATOR.describe_projects(ProjectNames=["short-lived", "nobody"])["ProjectDescriptions"]
        self.assertEqual([project["ProjectArn"] for project in found], [arn])
        self.assertAlmostEqual(found[0]["CreationTimestamp"].timestamp(), time.time(), delta=60)
        self.assertEqual(OPERATOR.delete_project(ProjectArn=arn)["Status"], "DELETING")
        self.refused("ResourceNotFoundException", OPERATOR.delete_project, ProjectArn=arn)
        self.refused("ResourceNotFoundException", OPERATOR.describe_project_versions, ProjectArn=arn)

    def test_names_and_features_within_their_bounds(self):
        for name in ("a b", "a/b", "x" * 256):
            self.refused("ValidationException", OPERATOR.create_project, ProjectName=name)
        OPERATOR.delete_project(ProjectArn=OPERATOR.create_project(ProjectName="x" * 255)["ProjectArn"])
        self.refused("ValidationException", OPERATOR.describe_projects, ProjectNames=["x"] * 11)
        self.refused("ValidationException", OPERATOR.describe_projects, MaxResults=101)
        self.refused("InvalidParameterException", OPERATOR.create_project, ProjectName="m", Feature="CONTENT_MODERATION")
        moderation = OPERATOR.describe_projects(Features=["CONTENT_MODERATION"])
        self.assertEqual(moderation["ProjectDescriptions"], [])

    def test_pages(self):
        made = [OPERATOR.create_project(ProjectName=f"page-{index}")["ProjectArn"] for index in range(7)]
        pages = OPERATOR.get_paginator("describe_projects").paginate(PaginationConfig={"PageSize": 2})
        seen = [project["ProjectArn"] for page in pages for project in page["ProjectDescriptions"]]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual([arn for arn in seen if arn in made], made[::-1], "the newest first")
        self.refused("InvalidPaginationTokenException", OPERATOR.describe_projects, NextToken="made-up")
        self.assertTrue(OPERATOR.describe_projects(MaxResults=100)["ProjectDescriptions"])
        self.assertTrue(OPERATOR.describe_projects(ProjectNames=[f"page-{index}" for index in range(10)]))
        for name in ("v1", "v2", "v3"):
            arguments = {"ProjectArn": made[0], "VersionName": name, "OutputConfig": OUTPUT}
            OPERATOR.create_project_version(**arguments)
        for name in ("v1", "v2", "v3"):
            wait_for(made[0], name, "TRAINING_COMPLETED")
        pages = OPERATOR.get_paginator("describe_project_versions").paginate(
            ProjectArn=made[0], PaginationConfig={"PageSize": 1}
        )
        versions = [one["ProjectVersionArn"] for page in pages for one in page["ProjectVersionDescriptions"]]
        self.assertEqual([arn.split("/")[3] for arn in versions], ["v3", "v2", "v1"])
        for arn in versions:
            OPERATOR.delete_project_version(ProjectVersionArn=arn)
        for arn in made:
            OPERATOR.delete_project(ProjectArn=arn)

    def test_a_model_of_the_settings_is_there_and_stays(self):
        project = OPERATOR.describe_projects(ProjectNames=["coco-ssd"])["ProjectDescriptions"][0]["ProjectArn"]
        version = OPERATOR.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]
        self.assertEqual((version["Status"], version["MinInferenceUnits"]), ("RUNNING", 1))
        self.assertTrue(version["StatusMessage"])
        self.refused("ResourceInUseException", OPERATOR.delete_project, ProjectArn=project)
        arn = version["ProjectVersionArn"]
        self.refused("ResourceInUseException", OPERATOR.delete_project_version, ProjectVersionArn=arn)
        self.refused("ResourceInUseException", OPERATOR.create_project, ProjectName="coco-ssd")

    def test_a_version_is_imported_copied_run_and_deleted(self):
        project = OPERATOR.create_project(ProjectName="lab")["ProjectArn"]
        target = OPERATOR.create_project(ProjectName="edge")["ProjectArn"]
        create = OPERATOR.create_project_version
        arn = create(
            ProjectArn=project,
            VersionName="v1",
            OutputConfig=OUTPUT,
            VersionDescription="first",
            Tags={"stage": "dev"},
        )["ProjectVersionArn"]
        OPERATOR.get_waiter("project_version_training_completed").wait(
            ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        self.refused("ResourceInUseException", create, ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
        version = describe(project, "v1")
        self.assertEqual((version["VersionDescription"], version["OutputConfig"]), ("first", OUTPUT))
        self.assertGreaterEqual(version["TrainingEndTimestamp"], version["CreationTimestamp"])
        self.assertNotIn("MinInferenceUnits", version)

        copy = OPERATOR.copy_project_version(
            SourceProjectArn=project,
            SourceProjectVersionArn=arn,
            DestinationProjectArn=target,
            VersionName="v1",
            OutputConfig=OUTPUT,
        )["ProjectVersionArn"]
        wait_for(target, "v1", "COPYING_COMPLETED")
        self.assertEqual(describe(target, "v1")["SourceProjectVersionArn"], arn)
        self.refused(
            "InvalidParameterException",
            OPERATOR.copy_project_version,
            SourceProjectArn=target,
            SourceProjectVersionArn=arn,
            DestinationProjectArn=target,
            VersionName="v2",
            OutputConfig=OUTPUT,
        )

        image = {"Bytes": PHOTO}
        detect = OPERATOR.detect_custom_labels
        self.refused("ResourceNotReadyException", detect, ProjectVersionArn=copy, Image=image)
        self.refused("InvalidParameterException", OPERATOR.stop_project_version, ProjectVersionArn=copy)
        start = OPERATOR.start_project_version
        self.refused("LimitExceededException", start, ProjectVersionArn=copy, MinInferenceUnits=99)
        wrong = {"MinInferenceUnits": 2, "MaxInferenceUnits": 1}
        self.refused("InvalidParameterException", start, ProjectVersionArn=copy, **wrong)
        self.assertEqual(start(ProjectVersionArn=copy, MinInferenceUnits=1, MaxInferenceUnits=2)["Status"], "STARTING")
        self.refused("ResourceInUseException", start, ProjectVersionArn=copy, MinInferenceUnits=1)
        OPERATOR.get_waiter("project_version_running").wait(
            ProjectArn=target, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        running = describe(target, "v1")
        self.assertEqual((running["MinInferenceUnits"], running["MaxInferenceUnits"]), (1, 2))
        labels = detect(ProjectVersionArn=copy, Image=image)["CustomLabels"]
        self.assertEqual(labels, detect(ProjectVersionArn=configured_arn(), Image=image)["CustomLabels"])
        self.refused("ResourceInUseException", OPERATOR.delete_project_version, ProjectVersionArn=copy)
        self.refused("ResourceInUseException", OPERATOR.delete_project, ProjectArn=target)

        camera = client("AKIDCAMERA", "camera-secret")
        self.assertEqual(camera.detect_custom_labels(ProjectVersionArn=copy, Image=image)["CustomLabels"], labels)

        self.assertEqual(OPERATOR.stop_project_version(ProjectVersionArn=copy)["Status"], "STOPPING")
        end = time.monotonic() + 30
        while (status := describe(target, "v1")["Status"]) != "STOPPED":
            self.assertEqual(status, "STOPPING", "straight from STOPPING to STOPPED")
            self.assertLess(time.monotonic(), end)
        self.refused("ResourceNotReadyException", detect, ProjectVersionArn=copy, Image=image)
        self.assertEqual(describe(target, "v1")["MinInferenceUnits"], 1, "kept after the stop")

        for one in (copy, arn):
            self.assertEqual(OPERATOR.delete_project_version(ProjectVersionArn=one)["Status"], "DELETING")
            self.refused("ResourceNotFoundException", OPERATOR.delete_project_version, ProjectVersionArn=one)
        self.assertIsNone(describe(target, "v1"), "an unknown version is no error")
        for one in (project, target):
            OPERATOR.delete_project(ProjectArn=one)

    def test_a_label_may_have_a_threshold_of_its_own(self):
        project = OPERATOR.create_project(ProjectName="picky")["ProjectArn"]
        output = {"S3Bucket": "files", "S3KeyPrefix": "/picky/"}
        arn = OPERATOR.create_project_version(ProjectArn=project, VersionName="v", OutputConfig=output)["ProjectVersionArn"]
        wait_for(project, "v", "TRAINING_COMPLETED")
        OPERATOR.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
        wait_for(project, "v", "RUNNING")

        def names(**more):
            found = OPERATOR.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO}, **more)["CustomLabels"]
            return {label["Name"] for label in found}

        self.assertEqual(names(), {"sports ball"})
        self.assertEqual(names(MinConfidence=50), {"person", "sports ball"})
        OPERATOR.stop_project_version(ProjectVersionArn=arn)
        wait_for(project, "v", "STOPPED")
        OPERATOR.delete_project_version(ProjectVersionArn=arn)
        OPERATOR.delete_project(ProjectArn=project)

    def test_what_cannot_be_imported_says_why(self):
        project = OPERATOR.create_project(ProjectName="broken")["ProjectArn"]
        create = OPERATOR.create_project_version
        for prefix, why in (
            ("broken", "sha256"),
            ("nowhere", "manifest.toml"),
            ("../outside", "manifest.toml"),
            ("blind", "canary"),
        ):
            output = {"S3Bucket": "files", "S3KeyPrefix": prefix}
            name = re.sub(r"\W", "", prefix)
            arn = create(ProjectArn=project, VersionName=name, OutputConfig=output)["ProjectVersionArn"]
            with self.assertRaises(WaiterError):
                OPERATOR.get_waiter("project_version_training_completed").wait(
                    ProjectArn=project, VersionNames=[name], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
                )
            failed = describe(project, name)
            self.assertEqual(failed["Status"], "TRAINING_FAILED")
            self.assertIn(why, failed["StatusMessage"])
            self.assertNotRegex(failed["StatusMessage"], r"/(tmp|var|home|root)\b")
            self.refused(
                "InvalidParameterException", OPERATOR.start_project_version, ProjectVersionArn=arn, MinInferenceUnits=1
            )
            OPERATOR.delete_project_version(ProjectVersionArn=arn)
        training = {"Assets": []}
        self.refused(
            "AccessDeniedException",
            create,
            ProjectArn=project,
            VersionName="trained",
            OutputConfig=OUTPUT,
            TrainingData=training,
            TestingData=training,
        )
        other = {"S3Bucket": "other-bucket", "S3KeyPrefix": "edge"}
        self.refused("InvalidParameterException", create, ProjectArn=project, VersionName="v", OutputConfig=other)
        OPERATOR.delete_project(ProjectArn=project)

    def test_tags(self):
        project = OPERATOR.create_project(ProjectName="tagged")["ProjectArn"]
        arn = OPERATOR.create_project_version(
            ProjectArn=project, VersionName="v", OutputConfig=OUTPUT, Tags={"a": "1"}
        )["ProjectVersionArn"]
        OPERATOR.tag_resource(ResourceArn=arn, Tags={"b": "2", "c": ""})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=["a", "nobody"])
        self.assertEqual(OPERATOR.list_tags_for_resource(ResourceArn=arn)["Tags"], {"b": "2", "c": ""})
        OPERATOR.tag_resource(ResourceArn=arn, Tags={"k" * 128: "v" * 256})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=["k" * 128])
        OPERATOR.tag_resource(ResourceArn=arn, Tags={f"key-{index}": "" for index in range(48)})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=[f"key-{index}" for index in range(48)])
        for tags in ({"aws:x": "1"}, {"k" * 129: "1"}, {"k": "v" * 257}):
            self.refused("ValidationException", OPERATOR.tag_resource, ResourceArn=arn, Tags=tags)
        many = {f"key-{index}": "" for index in range(49)}
        self.refused("ServiceQuotaExceededException", OPERATOR.tag_resource, ResourceArn=arn, Tags=many)
        wait_for(project, "v", "TRAINING_COMPLETED")
        OPERATOR.delete_project_version(ProjectVersionArn=arn)
        OPERATOR.delete_project(ProjectArn=project)


class Protocol(Case):
    """Signatures, roles, unknown operations, throttling."""

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
        global ENDPOINT
        plain, ENDPOINT = ENDPOINT, ENDPOINT + "/rek/"
        try:
            self.assertTrue(client().describe_projects()["ProjectDescriptions"])
        finally:
            ENDPOINT = plain

    def test_an_answer_has_an_id_and_a_date(self):
        answer = OPERATOR.describe_projects()["ResponseMetadata"]
        self.assertRegex(answer["RequestId"], r"^[0-9a-f-]{36}$")
        self.assertIn("date", answer["HTTPHeaders"])
        self.assertEqual(answer["HTTPHeaders"]["content-type"], "application/x-amz-json-1.1")

    def flood(self, make_client, calls):
        arn, codes, lock = configured_arn(), [], threading.Lock()

        def call():
            try:
                make_client().detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})
                code, response = "ok", None
            except ClientError as error:
                code, response = error.response["Error"]["Code"], error.response
            with lock:
                codes.append((code, response))

        threads = [threading.Thread(target=call) for _ in range(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return codes

    def test_above_its_capacity_a_model_refuses_and_says_when_to_come_back(self):
        # The model is limited to five a second, with a burst of as many.
        codes = self.flood(client, 30)
        refused = [response for code, response in codes if code == "ProvisionedThroughputExceededException"]
        self.assertTrue(refused and len(refused) < 30, [code for code, _ in codes])
        self.assertEqual({code for code, _ in codes} - {"ok"}, {"ProvisionedThroughputExceededException"})
        metadata = refused[0]["ResponseMetadata"]
        self.assertEqual(metadata["HTTPStatusCode"], 400)
        self.assertGreater(int(metadata["HTTPHeaders"]["x-amz-retry-after"]), 0)
        self.assertGreaterEqual(int(metadata["HTTPHeaders"]["retry-after"]), 1)

    def test_a_client_comes_back_when_it_was_told_to(self):
        arn, sent, hints = configured_arn(), [], []
        patient = client(retries={"max_attempts": 6, "mode": "standard"})
        events = patient.meta.events
        events.register("before-send.rekognition.DetectCustomLabels", lambda **_: sent.append(time.monotonic()))

        def received(response_dict, **_):
            hints.append(int(response_dict["headers"].get("x-amz-retry-after", 0)) / 1000)

        events.register("before-parse.rekognition.DetectCustomLabels", received)
        # More than five a second: the bucket is empty soon, and then every call is refused at first.
        for _ in range(50):
            sent.clear()
            hints.clear()
            patient.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})
            if len(sent) > 1:
                break
        self.assertGreater(len(sent), 1, "it was refused at first")
        self.assertEqual(len(hints), len(sent))
        for hint, before, after in zip(hints, sent, sent[1:]):
            self.assertGreater(hint, 0)
            self.assertGreaterEqual(after - before, hint)

    def test_a_client_that_retries_gets_through(self):
        retrying = {"max_attempts": 8, "mode": "standard"}
        codes = self.flood(lambda: client(retries=retrying), 12)
        self.assertEqual([code for code, _ in codes], ["ok"] * 12)


if __name__ == "__main__":
    unittest.main(verbosity=2)
