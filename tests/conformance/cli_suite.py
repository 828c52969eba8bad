"""The AWS CLI, version 1 or 2, against the AWS-compatible API: cli_suite.py PATH_OF_AWS ERROR_EXIT_CODE.

Prints PASS or FAIL a line each, and ends with 1 if anything failed.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

AWS, ERROR_CODE = sys.argv[1], int(sys.argv[2])
PHOTO = os.environ["OCELLI_PHOTO"]
SECRETS = {"AKIDOPERATOR": "operator-secret", "AKIDCAMERA": "camera-secret", "AKIDWRITER": "writer-secret"}
OUTPUT = "S3Bucket=files,S3KeyPrefix=edge"
failed = False


def aws(*arguments, key="AKIDOPERATOR", attempts="1", service="rekognition", **more):
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": SECRETS[key],
        "AWS_MAX_ATTEMPTS": attempts,
        "AWS_RETRY_MODE": "standard",
        "AWS_PAGER": "",
        "HOME": tempfile.gettempdir(),
        **more,
    }
    command = [AWS, "--endpoint-url", os.environ["OCELLI_ENDPOINT"], "--region", "us-east-1", "--output", "json"]
    return subprocess.run([*command, service, *arguments], env=environment, capture_output=True, text=True)


def done(*arguments, **more):
    ran = aws(*arguments, **more)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout or "{}")


def refused(code, *arguments, **more):
    ran = aws(*arguments, **more)
    assert ran.returncode == ERROR_CODE, (ran.returncode, ran.stderr)
    assert f"({code})" in ran.stderr, ran.stderr


def check(name, body):
    global failed
    try:
        body()
        print(f"PASS {name}")
    except Exception as error:  # a failed check is told, and the next one is made
        failed = True
        print(f"FAIL {name}: {error!r}")


def until(project, name, status):
    end = time.monotonic() + 60
    while True:
        found = done("describe-project-versions", "--project-arn", project, "--version-names", name)
        now = found["ProjectVersionDescriptions"][0]["Status"]
        if now == status:
            return
        assert time.monotonic() < end, now


def configured():
    project = done("describe-projects", "--project-names", "coco-ssd")["ProjectDescriptions"][0]["ProjectArn"]
    versions = done("describe-project-versions", "--project-arn", project)["ProjectVersionDescriptions"]
    return versions[0]["ProjectVersionArn"]


def detection():
    arn = configured()
    image = ["--image-bytes", f"fileb://{PHOTO}"]
    labels = done("detect-custom-labels", "--project-version-arn", arn, *image)["CustomLabels"]
    assert any(label["Name"] == "person" for label in labels), labels
    s3 = '{"S3Object": {"Bucket": "files", "Name": "photo.jpg"}}'
    assert done("detect-custom-labels", "--project-version-arn", arn, "--image", s3)["CustomLabels"] == labels
    first = done("detect-custom-labels", "--project-version-arn", arn, *image, "--max-results", "1")
    assert first["CustomLabels"] == labels[:1]
    names = {label["Name"] for label in done("detect-labels", *image, "--min-confidence", "60")["Labels"]}
    assert "Person" in names, names


def errors():
    arn = configured()
    with tempfile.NamedTemporaryFile() as file:
        pathlib.Path(file.name).write_bytes(b"no picture")
        image = ["--image-bytes", f"fileb://{file.name}"]
        refused("InvalidImageFormatException", "detect-custom-labels", "--project-version-arn", arn, *image)
    image = ["--image-bytes", f"fileb://{PHOTO}"]
    refused("ResourceNotFoundException", "detect-custom-labels", "--project-version-arn", arn.replace("/version/", "/version/x"), *image)
    refused("AccessDeniedException", "describe-projects", key="AKIDCAMERA")
    refused("AccessDeniedException", "detect-faces", *image)
    refused("ResourceInUseException", "create-project", "--project-name", "coco-ssd")
    refused("InvalidPaginationTokenException", "describe-projects", "--next-token", "made-up")


def pages():
    made = [done("create-project", "--project-name", f"cli-{index}")["ProjectArn"] for index in range(5)]
    seen = [one["ProjectArn"] for one in done("describe-projects", "--page-size", "2")["ProjectDescriptions"]]
    assert set(made) <= set(seen) and len(seen) == len(set(seen)), seen
    for arn in made:
        assert done("delete-project", "--project-arn", arn)["Status"] == "DELETING"


def objects():
    def s3(*arguments, service="s3", **more):
        ran = aws(*arguments, service=service, key="AKIDWRITER", **more)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    with tempfile.TemporaryDirectory() as home:
        back = pathlib.Path(home, "back.jpg")
        s3("cp", PHOTO, "s3://files/cli/a b.jpg")
        s3("cp", PHOTO, "s3://files/cli/c.jpg")
        assert len(s3("ls", "s3://files/cli/").splitlines()) == 2
        s3("cp", "s3://files/cli/a b.jpg", str(back))
        assert back.read_bytes() == pathlib.Path(PHOTO).read_bytes()
        pathlib.Path(home, "more").mkdir()
        s3("sync", "s3://files/cli/", str(pathlib.Path(home, "more")))
        assert sorted(file.name for file in pathlib.Path(home, "more").iterdir()) == ["a b.jpg", "c.jpg"]
        size = json.loads(s3("head-object", "--bucket", "files", "--key", "cli/c.jpg", service="s3api"))["ContentLength"]
        assert size == len(back.read_bytes())
        image = '{"S3Object": {"Bucket": "files", "Name": "cli/a b.jpg"}}'
        arn = configured()
        assert done("detect-custom-labels", "--project-version-arn", arn, "--image", image, key="AKIDWRITER")["CustomLabels"]
        large, config = pathlib.Path(home, "large"), pathlib.Path(home, "config")
        large.write_bytes(os.urandom(9 << 20))
        refused = aws("cp", str(large), "s3://files/cli/large", service="s3", key="AKIDWRITER")
        assert refused.returncode != 0 and "NotImplemented" in refused.stderr, refused.stderr
        config.write_text("[default]\ns3 =\n    multipart_threshold = 1GB\n")
        s3("cp", str(large), "s3://files/cli/large", AWS_CONFIG_FILE=str(config))
        s3("rm", "--recursive", "s3://files/cli/")
        assert json.loads(s3("list-objects-v2", "--bucket", "files", "--prefix", "cli/", service="s3api") or "{}").get(
            "Contents", []
        ) == []


def life():
    lab = done("create-project", "--project-name", "lab")["ProjectArn"]
    edge = done("create-project", "--project-name", "edge")["ProjectArn"]
    named = ["--version-name", "v1", "--output-config", OUTPUT]
    arn = done("create-project-version", "--project-arn", lab, *named, "--tags", "stage=lab")["ProjectVersionArn"]
    until(lab, "v1", "TRAINING_COMPLETED")
    waited = aws("wait", "project-version-training-completed", "--project-arn", lab, "--version-names", "v1")
    assert waited.returncode == 0, waited.stderr
    copy = done(
        "copy-project-version",
        *["--source-project-arn", lab, "--source-project-version-arn", arn],
        *["--destination-project-arn", edge, *named],
    )["ProjectVersionArn"]
    until(edge, "v1", "COPYING_COMPLETED")
    units = ["--min-inference-units", "1", "--max-inference-units", "2"]
    assert done("start-project-version", "--project-version-arn", copy, *units)["Status"] == "RUNNING", "held until it runs"
    until(edge, "v1", "RUNNING")
    waited = aws("wait", "project-version-running", "--project-arn", edge, "--version-names", "v1")
    assert waited.returncode == 0, waited.stderr
    image = ["--image-bytes", f"fileb://{PHOTO}"]
    done("detect-custom-labels", "--project-version-arn", copy, *image, key="AKIDCAMERA")
    refused("ResourceInUseException", "delete-project-version", "--project-version-arn", copy)
    assert done("stop-project-version", "--project-version-arn", copy)["Status"] == "STOPPING"
    until(edge, "v1", "STOPPED")
    done("tag-resource", "--resource-arn", arn, "--tags", "a=1,b=2")
    done("untag-resource", "--resource-arn", arn, "--tag-keys", "a", "stage")
    assert done("list-tags-for-resource", "--resource-arn", arn)["Tags"] == {"b": "2"}
    for one in (copy, arn):
        assert done("delete-project-version", "--project-version-arn", one)["Status"] == "DELETING"
    for one in (lab, edge):
        done("delete-project", "--project-arn", one)


check("detection", detection)
check("errors and exit codes", errors)
check("pages", pages)
check("objects", objects)
check("a version from import to deletion, with waiters and tags", life)
sys.exit(failed)
