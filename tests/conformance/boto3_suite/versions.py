"""Versions: imported, copied, run, deleted."""

import re
import time

from botocore.exceptions import WaiterError

from box import BOTOCORE, Case, OPERATOR, OUTPUT, PHOTO, client, configured_arn, describe, wait_for


class Versions(Case):
    """Versions from their import to their end."""

    def test_a_version_is_imported_copied_run_and_deleted(self):
        project = OPERATOR.create_project(ProjectName="lab")["ProjectArn"]
        target = OPERATOR.create_project(ProjectName="edge")["ProjectArn"]
        create = OPERATOR.create_project_version
        described = {"VersionDescription": "first"} if BOTOCORE >= (1, 32) else {}
        arn = create(
            ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT, Tags={"stage": "dev"}, **described
        )["ProjectVersionArn"]
        # As scripts do it: the waiter asks at once, and then only after two minutes.
        began = time.monotonic()
        OPERATOR.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v1"])
        self.refused("ResourceInUseException", create, ProjectArn=project, VersionName="v1", OutputConfig=OUTPUT)
        version = describe(project, "v1")
        self.assertEqual(version["OutputConfig"], OUTPUT)
        self.assertEqual({name: version[name] for name in described}, described)
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
        # The answer is held until it runs.
        self.assertEqual(start(ProjectVersionArn=copy, MinInferenceUnits=1, MaxInferenceUnits=2)["Status"], "RUNNING")
        self.refused("ResourceInUseException", start, ProjectVersionArn=copy, MinInferenceUnits=1)
        OPERATOR.get_waiter("project_version_running").wait(ProjectArn=target, VersionNames=["v1"])
        self.assertLess(time.monotonic() - began, 30, "the delay of the second question")
        another = copy[:-1] + str((int(copy[-1]) + 1) % 10)
        self.refused("ResourceNotFoundException", detect, ProjectVersionArn=another, Image=image)
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
