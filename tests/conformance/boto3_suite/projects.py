"""Projects, pages and tags."""

import time

from box import Case, OPERATOR, OUTPUT, wait_for


class Projects(Case):
    """Projects, pages, tags."""

    def test_a_project_from_its_beginning_to_its_end(self):
        arn = OPERATOR.create_project(ProjectName="short-lived")["ProjectArn"]
        self.assertRegex(arn, r"^arn:aws:rekognition:us-east-1:000000000000:project/short-lived/[0-9]+$")
        self.refused("ResourceInUseException", OPERATOR.create_project, ProjectName="short-lived")
        found = OPERATOR.describe_projects(ProjectNames=["short-lived", "nobody"])["ProjectDescriptions"]
        self.assertEqual([project["ProjectArn"] for project in found], [arn])
        self.assertAlmostEqual(found[0]["CreationTimestamp"].timestamp(), time.time(), delta=60)
        self.assertEqual(OPERATOR.delete_project(ProjectArn=arn)["Status"], "DELETING")
        self.refused("ResourceNotFoundException", OPERATOR.delete_project, ProjectArn=arn)
        self.refused("ResourceNotFoundException", OPERATOR.describe_project_versions, ProjectArn=arn)

    def test_names_and_features_within_their_bounds(self):
        for name in ("a b", "a/b", "x" * 256):
            self.refused("ValidationException", OPERATOR.create_project, ProjectName=name)
        OPERATOR.delete_project(ProjectArn=OPERATOR.create_project(ProjectName="x" * 255)["ProjectArn"])
        self.refused("ValidationException", OPERATOR.describe_projects, ProjectNames=["x"] * 11)
        self.refused("ValidationException", OPERATOR.describe_projects, MaxResults=101)
        self.refused("InvalidParameterException", OPERATOR.create_project, ProjectName="m", Feature="CONTENT_MODERATION")
        self.refused("InvalidParameterException", OPERATOR.create_project, ProjectName="m", AutoUpdate="ENABLED")
        moderation = OPERATOR.describe_projects(Features=["CONTENT_MODERATION"])
        self.assertEqual(moderation["ProjectDescriptions"], [])

    def test_pages(self):
        made = [OPERATOR.create_project(ProjectName=f"page-{index}")["ProjectArn"] for index in range(7)]
        pages = OPERATOR.get_paginator("describe_projects").paginate(PaginationConfig={"PageSize": 2})
        seen = [project["ProjectArn"] for page in pages for project in page["ProjectDescriptions"]]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual([arn for arn in seen if arn in made], made[::-1], "the newest first")
        self.refused("InvalidPaginationTokenException", OPERATOR.describe_projects, NextToken="made-up")
        self.assertTrue(OPERATOR.describe_projects(MaxResults=100)["ProjectDescriptions"])
        self.assertTrue(OPERATOR.describe_projects(ProjectNames=[f"page-{index}" for index in range(10)]))
        for name in ("v1", "v2", "v3"):
            arguments = {"ProjectArn": made[0], "VersionName": name, "OutputConfig": OUTPUT}
            OPERATOR.create_project_version(**arguments)
        for name in ("v1", "v2", "v3"):
            wait_for(made[0], name, "TRAINING_COMPLETED")
        pages = OPERATOR.get_paginator("describe_project_versions").paginate(
            ProjectArn=made[0], PaginationConfig={"PageSize": 1}
        )
        versions = [one["ProjectVersionArn"] for page in pages for one in page["ProjectVersionDescriptions"]]
        self.assertEqual([arn.split("/")[3] for arn in versions], ["v3", "v2", "v1"])
        for arn in versions:
            OPERATOR.delete_project_version(ProjectVersionArn=arn)
        for arn in made:
            OPERATOR.delete_project(ProjectArn=arn)

    def test_a_model_of_the_settings_is_there_and_stays(self):
        project = OPERATOR.describe_projects(ProjectNames=["coco-ssd"])["ProjectDescriptions"][0]["ProjectArn"]
        version = OPERATOR.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]
        self.assertEqual((version["Status"], version["MinInferenceUnits"]), ("RUNNING", 1))
        self.assertTrue(version["StatusMessage"])
        self.refused("ResourceInUseException", OPERATOR.delete_project, ProjectArn=project)
        arn = version["ProjectVersionArn"]
        self.refused("ResourceInUseException", OPERATOR.delete_project_version, ProjectVersionArn=arn)
        self.refused("ResourceInUseException", OPERATOR.create_project, ProjectName="coco-ssd")

    def test_tags(self):
        project = OPERATOR.create_project(ProjectName="tagged", Tags={"site": "gate"})["ProjectArn"]
        self.assertEqual(OPERATOR.list_tags_for_resource(ResourceArn=project)["Tags"], {"site": "gate"})
        self.refused("ValidationException", OPERATOR.create_project, ProjectName="m", Tags={"aws:x": "1"})
        arn = OPERATOR.create_project_version(
            ProjectArn=project, VersionName="v", OutputConfig=OUTPUT, Tags={"a": "1"}
        )["ProjectVersionArn"]
        OPERATOR.tag_resource(ResourceArn=arn, Tags={"b": "2", "c": ""})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=["a", "nobody"])
        self.assertEqual(OPERATOR.list_tags_for_resource(ResourceArn=arn)["Tags"], {"b": "2", "c": ""})
        OPERATOR.tag_resource(ResourceArn=arn, Tags={"k" * 128: "v" * 256})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=["k" * 128])
        OPERATOR.tag_resource(ResourceArn=arn, Tags={f"key-{index}": "" for index in range(48)})
        OPERATOR.untag_resource(ResourceArn=arn, TagKeys=[f"key-{index}" for index in range(48)])
        for tags in ({"aws:x": "1"}, {"k" * 129: "1"}, {"k": "v" * 257}):
            self.refused("ValidationException", OPERATOR.tag_resource, ResourceArn=arn, Tags=tags)
        many = {f"key-{index}": "" for index in range(49)}
        self.refused("ServiceQuotaExceededException", OPERATOR.tag_resource, ResourceArn=arn, Tags=many)
        wait_for(project, "v", "TRAINING_COMPLETED")
        OPERATOR.delete_project_version(ProjectVersionArn=arn)
        OPERATOR.delete_project(ProjectArn=project)
