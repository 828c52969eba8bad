"""The box under test, as the cases of this suite meet it."""

import io
import os
import pathlib
import sys
import time

import boto3
from botocore.config import Config
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from boto3_case import BOTOCORE, Boto3Case

ENDPOINT = os.environ["OCELLI_ENDPOINT"]
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
BUCKET = pathlib.Path(os.environ["OCELLI_BUCKET_DIRECTORY"])
# The box allows five calls a second, so a caller of this suite comes back when it was told to.
PATIENT = {"total_max_attempts": 4, "mode": "standard"}
ONCE = {"total_max_attempts": 1, "mode": "standard"}
OUTPUT = {"S3Bucket": "files", "S3KeyPrefix": "edge"}


def client(key="AKIDOPERATOR", secret="operator-secret", path="", **config):
    config.setdefault("retries", PATIENT)
    return boto3.client(
        "rekognition",
        endpoint_url=ENDPOINT + path,
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


class Case(Boto3Case):
    def refused(self, code, call, *args, **kwargs):
        response = super().refused(code, call, *args, **kwargs)
        self.assertTrue(response["Error"]["Message"], response)
        # No answer names a place on the box.
        self.assertNotRegex(response["Error"]["Message"], r"/(tmp|var|home|root|proc|dev|srv)\b")
        return response
