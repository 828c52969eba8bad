"""What the suites for boto3 share: cases that are refused, and clients that are older than what is asked for."""

import unittest

import boto3
import botocore
from botocore.exceptions import ClientError, ParamValidationError

# `make conformance` runs the suites with older ones too.
BOTOCORE = tuple(int(part) for part in botocore.__version__.split(".")[:2])


class Boto3Case(unittest.TestCase):
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
