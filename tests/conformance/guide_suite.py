"""Scripts as people write them for the cloud, against a box: a bucket with pictures, S3Object, projects and waiters.

Nothing in them knows that it is a box but the endpoint. Prints PASS or FAIL a line each, and ends with 1 if anything failed.
"""

import io
import json
import os
import pathlib
import sys
import tempfile

import boto3
import botocore
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from PIL import Image, ImageDraw

ENDPOINT, PHOTO = os.environ["OCELLI_ENDPOINT"], pathlib.Path(os.environ["OCELLI_PHOTO"])
SECRETS = {"AKIDOPERATOR": "operator-secret", "AKIDWRITER": "writer-secret"}
BOTOCORE = tuple(int(part) for part in botocore.__version__.split(".")[:2])
BUCKET = "files"
failed = False


def session(key):
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRETS[key], region_name="us-east-1")


APPLICATION, OPERATOR = session("AKIDWRITER"), session("AKIDOPERATOR")
s3 = APPLICATION.client("s3", endpoint_url=ENDPOINT)
rekognition = APPLICATION.client("rekognition", endpoint_url=ENDPOINT)
operator = OPERATOR.client("rekognition", endpoint_url=ENDPOINT)


def check(body):
    global failed
    name = body.__doc__
    try:
        body()
        print(f"PASS {name}", flush=True)
    except Exception as error:  # a failed check is told, and the next one is made
        failed = True
        print(f"FAIL {name}: {error!r}", flush=True)


def model():
    project = operator.describe_projects(ProjectNames=["coco-ssd"])["ProjectDescriptions"][0]["ProjectArn"]
    return operator.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


def labels_of(key):
    image = {"S3Object": {"Bucket": BUCKET, "Name": key}}
    return rekognition.detect_custom_labels(ProjectVersionArn=model(), Image=image, MinConfidence=50)["CustomLabels"]


def boxes_on_the_picture():
    """a picture of the bucket is looked at, read again, and its boxes are drawn on it"""
    s3.upload_file(str(PHOTO), BUCKET, "guide/in.jpg")
    resource = APPLICATION.resource("s3", endpoint_url=ENDPOINT)
    picture = Image.open(io.BytesIO(resource.Object(BUCKET, "guide/in.jpg").get()["Body"].read()))
    draw, drawn = ImageDraw.Draw(picture), 0
    for label in labels_of("guide/in.jpg"):
        box = label["Geometry"]["BoundingBox"]
        left, top = box["Left"] * picture.width, box["Top"] * picture.height
        right, bottom = left + box["Width"] * picture.width, top + box["Height"] * picture.height
        draw.rectangle((left, top, right, bottom), outline=(0, 212, 0), width=3)
        drawn += 1
    assert drawn >= 2, drawn
    out = io.BytesIO()
    picture.save(out, "JPEG")
    out.seek(0)
    s3.upload_fileobj(out, BUCKET, "guide/out.jpg")
    with tempfile.NamedTemporaryFile() as file:
        s3.download_file(BUCKET, "guide/out.jpg", file.name)
        assert Image.open(file.name).size == picture.size


def every_picture_of_a_prefix():
    """every picture of a prefix is looked at, and what was seen is put beside it"""
    for index in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"guide/batch/{index}.jpg", Body=PHOTO.read_bytes())
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="guide/batch/")
    for found in [found for page in pages for found in page["Contents"]]:
        seen = json.dumps(labels_of(found["Key"]))
        s3.put_object(Bucket=BUCKET, Key=found["Key"].replace(".jpg", ".json"), Body=seen.encode())
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="guide/batch/", Delimiter="/")
    assert listed["KeyCount"] == 6, listed
    seen = json.loads(s3.get_object(Bucket=BUCKET, Key="guide/batch/2.json")["Body"].read())
    assert "person" in {label["Name"] for label in seen}, seen


def one_that_is_not_there():
    """a picture that is not there is told apart from one that is, in both services"""
    s3.head_object(Bucket=BUCKET, Key="photo.jpg")
    for call, code in (
        (lambda: s3.head_object(Bucket=BUCKET, Key="guide/none.jpg"), "404"),
        (lambda: s3.get_object(Bucket=BUCKET, Key="guide/none.jpg"), "NoSuchKey"),
        (lambda: labels_of("guide/none.jpg"), "InvalidS3ObjectException"),
    ):
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] == code, error
        else:
            raise AssertionError(code)


def a_version_and_its_life():
    """a version is made, waited for, started, waited for, used, copied, stopped and deleted"""
    output = {"S3Bucket": BUCKET, "S3KeyPrefix": "edge"}
    project = operator.create_project(ProjectName="guide")["ProjectArn"]
    arn = operator.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=output)["ProjectVersionArn"]
    operator.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v1"])
    operator.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
    operator.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"])
    image = {"S3Object": {"Bucket": BUCKET, "Name": "photo.jpg"}}
    assert operator.detect_custom_labels(ProjectVersionArn=arn, Image=image)["CustomLabels"]
    copied = operator.copy_project_version(
        SourceProjectArn=project, SourceProjectVersionArn=arn, DestinationProjectArn=project, VersionName="v2",
        OutputConfig=output,
    )["ProjectVersionArn"]
    states = {one["ProjectVersionArn"]: one["Status"] for one in
              operator.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]}
    assert states == {arn: "RUNNING", copied: "COPYING_COMPLETED"}, states
    operator.stop_project_version(ProjectVersionArn=arn)
    while operator.describe_project_versions(ProjectArn=project, VersionNames=["v1"])["ProjectVersionDescriptions"][0][
        "Status"
    ] != "STOPPED":
        pass
    for one in (arn, copied):
        operator.delete_project_version(ProjectVersionArn=one)
    operator.delete_project(ProjectArn=project)


def larger_than_a_part():
    """a file that an SDK would send in parts goes up in one with multipart_threshold, and is refused in parts"""
    with tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(9 << 20))
        file.flush()
        try:
            s3.upload_file(file.name, BUCKET, "guide/large.bin")
        except Exception as error:
            assert "NotImplemented" in str(error) and "CreateMultipartUpload" in str(error), error
        else:
            raise AssertionError("a multipart upload was taken")
        s3.upload_file(file.name, BUCKET, "guide/large.bin", Config=TransferConfig(multipart_threshold=1 << 30))
        with tempfile.NamedTemporaryFile() as back:
            # Parts of a download are ranges, and are served.
            s3.download_file(BUCKET, "guide/large.bin", back.name, Config=TransferConfig(multipart_threshold=1 << 20))
            assert pathlib.Path(back.name).read_bytes() == pathlib.Path(file.name).read_bytes()


def the_environment_alone():
    """a script that names no endpoint is led to the box by its environment, for both services"""
    for names in (["AWS_ENDPOINT_URL"], ["AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL_S3"]):
        os.environ.update(dict.fromkeys(names, ENDPOINT))
        try:
            application = session("AKIDWRITER")
            assert application.client("s3").head_object(Bucket=BUCKET, Key="photo.jpg")["ContentLength"]
            assert session("AKIDOPERATOR").client("rekognition").describe_projects()["ProjectDescriptions"]
        finally:
            for name in names:
                del os.environ[name]


def tidied():
    """what was put is deleted"""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="guide/"):
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="guide/")["KeyCount"] == 0


check(boxes_on_the_picture)
check(every_picture_of_a_prefix)
check(one_that_is_not_there)
check(a_version_and_its_life)
check(larger_than_a_part)
# Endpoints of the environment are known since boto3 1.28.
if BOTOCORE >= (1, 31):
    check(the_environment_alone)
check(tidied)
sys.exit(failed)
