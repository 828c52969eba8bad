"""What a restart of the daemon changes: nothing. Each phase, an argument, runs between two restarts.

Started like boto3_suite. Ends with 1 if anything is not as it should be.
"""

import json
import os
import pathlib
import sys
import time
import urllib.request

import boto3

box = boto3.client(
    "rekognition",
    endpoint_url=os.environ["OCELLI_ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id="AKIDOPERATOR",
    aws_secret_access_key="operator-secret",
)


def only(project):
    arn = box.describe_projects(ProjectNames=[project])["ProjectDescriptions"][0]["ProjectArn"]
    return box.describe_project_versions(ProjectArn=arn)["ProjectVersionDescriptions"][0]


def wait_for(status):
    end = time.monotonic() + 60
    while (now := only("edge"))["Status"] != status:
        assert time.monotonic() < end, f"{now} and not {status}"
        time.sleep(0.1)
    return now


def scale(**numbers):
    request = urllib.request.Request(
        os.environ["OCELLI_ENDPOINT"] + "/api/models/edge:v1/scale",
        data=json.dumps(numbers).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert urllib.request.urlopen(request).status == 202


def begin():
    project = box.create_project(ProjectName="edge")["ProjectArn"]
    output = {"S3Bucket": "files", "S3KeyPrefix": "edge"}
    arn = box.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig=output)["ProjectVersionArn"]
    wait_for("TRAINING_COMPLETED")
    box.tag_resource(ResourceArn=arn, Tags={"kept": "yes"})
    box.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1, MaxInferenceUnits=2)
    wait_for("RUNNING")
    print(only("coco-ssd")["ProjectVersionArn"])


def runs_again_and_is_stopped():
    version = wait_for("RUNNING")
    arn = version["ProjectVersionArn"]
    assert (version["MinInferenceUnits"], version["MaxInferenceUnits"]) == (1, 2), version
    assert box.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"kept": "yes"}
    photo = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
    assert box.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": photo})["CustomLabels"]
    box.stop_project_version(ProjectVersionArn=arn)
    wait_for("STOPPED")
    # Other numbers for what does not run do not start it.
    scale(min_inference_units=2)
    print(only("coco-ssd")["ProjectVersionArn"])


def stays_stopped():
    version = only("edge")
    assert (version["Status"], version["MinInferenceUnits"]) == ("STOPPED", 2), version
    print(only("coco-ssd")["ProjectVersionArn"])


{"begin": begin, "again": runs_again_and_is_stopped, "stopped": stays_stopped}[sys.argv[1]]()
