"""boto3's clients of the box under test."""

import os
import pathlib
import unittest

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from raw import ENDPOINT, KEYS

# `make conformance` runs this suite with older ones too.
BOTOCORE = tuple(int(part) for part in botocore.__version__.split(".")[:2])
PUBLIC, CERTIFICATE = os.environ["OCELLI_PUBLIC"], os.environ["OCELLI_CERTIFICATE"]
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
BUCKET = pathlib.Path(os.environ["OCELLI_BUCKET_DIRECTORY"])


def client(service="s3", key="AKIDWRITER", secret=None, over_tls=False, **config):
    # The name that the certificate is for is no address, which boto3 would put the bucket's name before.
    config.setdefault("s3", {"addressing_style": "path"})
    return boto3.client(
        service,
        endpoint_url=PUBLIC if over_tls else ENDPOINT,
        verify=CERTIFICATE if over_tls else None,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret or KEYS[key],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


class Case(unittest.TestCase):
    def _callTestMethod(self, method):
        try:
            super()._callTestMethod(method)
        except ParamValidationError as error:
            # What an older boto3 does not know, it cannot ask for.
            if BOTOCORE >= (1, 36) or "Unknown parameter" not in str(error):
                raise
            self.skipTest(f"boto3 {boto3.__version__}: {error}")

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        response = caught.exception.response
        self.assertEqual(response["Error"]["Code"], code, response)
        return response
