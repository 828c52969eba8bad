"""What scripts do with a bucket and Rekognition together."""

import time

from clients import BUCKET, PHOTO, Case, client

WRITER = client()
OPERATOR = client("rekognition", "AKIDOPERATOR")


def configured():
    project = OPERATOR.describe_projects(ProjectNames=["coco-ssd"])["ProjectDescriptions"][0]["ProjectArn"]
    return OPERATOR.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


class Flows(Case):
    def test_a_picture_that_was_put_is_looked_at_with_the_same_key(self):
        WRITER.put_object(Bucket="files", Key="flow/1.jpg", Body=PHOTO)
        version, image = configured(), {"S3Object": {"Bucket": "files", "Name": "flow/1.jpg"}}
        detector = client("rekognition")
        labels = detector.detect_custom_labels(ProjectVersionArn=version, Image=image)["CustomLabels"]
        self.assertIn("person", [label["Name"] for label in labels])
        WRITER.delete_object(Bucket="files", Key="flow/1.jpg")
        self.refused("InvalidS3ObjectException", detector.detect_custom_labels, ProjectVersionArn=version, Image=image)

    def test_a_package_that_was_put_is_imported_by_an_operator_and_by_nobody_else(self):
        for file in (BUCKET / "edge").iterdir():
            WRITER.put_object(Bucket="files", Key=f"packages/new/{file.name}", Body=file.read_bytes())
        project = OPERATOR.create_project(ProjectName="flow")["ProjectArn"]
        output = {"S3Bucket": "files", "S3KeyPrefix": "packages/new/"}
        asked = {"ProjectArn": project, "VersionName": "v1", "OutputConfig": output}
        self.refused("AccessDeniedException", client("rekognition").create_project_version, **asked)
        OPERATOR.create_project_version(**asked)
        self.wait(project, "v1", "TRAINING_COMPLETED")
        source = OPERATOR.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]
        OPERATOR.copy_project_version(
            SourceProjectArn=project,
            SourceProjectVersionArn=source["ProjectVersionArn"],
            DestinationProjectArn=project,
            VersionName="v2",
            OutputConfig=output,
        )
        self.wait(project, "v2", "COPYING_COMPLETED")

    def wait(self, project, name, wanted):
        end = time.monotonic() + 60
        while True:
            found = OPERATOR.describe_project_versions(ProjectArn=project, VersionNames=[name])
            status = found["ProjectVersionDescriptions"][0]["Status"]
            if status == wanted:
                return
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.1)
