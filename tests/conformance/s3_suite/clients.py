"""boto3's clients of the box under test."""

import os
import pathlib
import sys

import boto3
from botocore.config import Config
from raw import ENDPOINT, KEYS

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from boto3_case import BOTOCORE, Boto3Case as Case

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
