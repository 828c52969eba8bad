"""How long scripts wait that begin something and then use boto3's waiters as they are.

Prints a JSON object with seconds: from CreateProjectVersion and from StartProjectVersion to the end of the waiter, and from
the latter to the answer of the first call that looks at a picture.
"""

import json
import os
import pathlib
import time

import boto3

box = boto3.client(
    "rekognition",
    endpoint_url=os.environ["OCELLI_ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id="AKIDOPERATOR",
    aws_secret_access_key="operator-secret",
)
OUTPUT = {"S3Bucket": "files", "S3KeyPrefix": "edge"}
TRAINED, RUNNING = "project_version_training_completed", "project_version_running"
project = box.create_project(ProjectName="waited")["ProjectArn"]

begun = time.monotonic()
arn = box.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)["ProjectVersionArn"]
box.get_waiter(TRAINED).wait(ProjectArn=project, VersionNames=["v1"])
imported = time.monotonic() - begun

begun = time.monotonic()
box.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
box.get_waiter(RUNNING).wait(ProjectArn=project, VersionNames=["v1"])
started = time.monotonic() - begun
photo = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
assert box.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": photo})["CustomLabels"]
used = time.monotonic() - begun

box.stop_project_version(ProjectVersionArn=arn)
end = time.monotonic() + 30
while box.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["Status"] != "STOPPED":
    assert time.monotonic() < end
    time.sleep(0.1)
box.delete_project_version(ProjectVersionArn=arn)
box.delete_project(ProjectArn=project)
print(json.dumps({"imported": imported, "started": started, "used": used}))
