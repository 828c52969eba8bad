"""DetectCustomLabels and DetectLabels: what they see, and the bounds of images."""

import io

from PIL import Image

from box import BUCKET, Case, OPERATOR, PHOTO, configured_arn, padded, picture


class Detection(Case):
    """DetectCustomLabels and DetectLabels."""

    @classmethod
    def setUpClass(cls):
        cls.arn = configured_arn()

    def detect(self, image=None, **more):
        image = {"Bytes": PHOTO} if image is None else image
        return OPERATOR.detect_custom_labels(ProjectVersionArn=self.arn, Image=image, **more)["CustomLabels"]

    def test_a_photo_shows_a_person_with_a_box(self):
        labels = self.detect()
        person = next(label for label in labels if label["Name"] == "person")
        box = person["Geometry"]["BoundingBox"]
        self.assertTrue(0 < box["Left"] < 1 and 0 < box["Width"] < 1, box)
        self.assertNotIn("Polygon", person["Geometry"])
        confidences = [label["Confidence"] for label in labels]
        self.assertEqual(confidences, sorted(confidences, reverse=True))
        self.assertTrue(all(50 <= confidence <= 100 for confidence in confidences))

    def test_the_confidence_asked_for_alone_decides(self):
        few, many = self.detect(MinConfidence=90), self.detect(MinConfidence=5.5)
        self.assertLess(len(few), len(self.detect()))
        self.assertGreater(len(many), len(self.detect()))
        self.assertGreaterEqual(min(label["Confidence"] for label in many), 5.5)
        self.assertTrue(len(self.detect(MinConfidence=0)) >= len(many))

    def test_max_results_keeps_the_surest_and_zero_keeps_all(self):
        everything = self.detect(MinConfidence=5)
        self.assertEqual(self.detect(MinConfidence=5, MaxResults=1), everything[:1])
        self.assertEqual(self.detect(MinConfidence=5, MaxResults=0), everything)

    def test_nothing_seen_is_an_empty_list(self):
        self.assertEqual(self.detect({"Bytes": picture(640, 480)}), [])

    def test_numbers_outside_their_bounds(self):
        for wrong in ({"MinConfidence": 101}, {"MinConfidence": 100.1}):
            self.refused("ValidationException", self.detect, **wrong)

    def test_exif_orientation_is_applied_first(self):
        upright = Image.open(io.BytesIO(PHOTO))
        exif = Image.Exif()
        exif[0x0112] = 6  # The camera was turned: shown upright, this is `upright`.
        data = io.BytesIO()
        upright.transpose(Image.Transpose.ROTATE_90).save(data, "JPEG", quality=95, exif=exif)
        turned = next(label for label in self.detect({"Bytes": data.getvalue()}) if label["Name"] == "person")
        straight = next(label for label in self.detect() if label["Name"] == "person")
        for side in ("Left", "Top", "Width", "Height"):
            self.assertAlmostEqual(
                turned["Geometry"]["BoundingBox"][side], straight["Geometry"]["BoundingBox"][side], delta=0.02
            )

    def test_sides_and_aspect_at_their_bounds(self):
        for kind in ("JPEG", "PNG"):
            for width, height in ((64, 64), (64, 1280), (4096, 4096)):
                self.assertEqual(self.detect({"Bytes": picture(width, height, kind)}), [], (kind, width, height))
            for width, height in ((63, 64), (64, 63), (64, 1281), (1, 1)):
                image = {"Bytes": picture(width, height, kind)}
                self.refused("InvalidParameterException", self.detect, image)
            self.refused("ImageTooLargeException", self.detect, {"Bytes": picture(4097, 4000, kind)})

    def test_bytes_at_their_bounds(self):
        self.assertTrue(self.detect({"Bytes": padded(4 << 20)}))
        self.refused("ImageTooLargeException", self.detect, {"Bytes": padded((4 << 20) + 1)})
        self.refused("ImageTooLargeException", self.detect, {"Bytes": padded(5 << 20)})
        message = self.refused("ValidationException", self.detect, {"Bytes": padded((5 << 20) + 1)})
        self.assertRegex(message["Error"]["Message"], "'image.bytes' failed to satisfy constraint")
        self.refused("ValidationException", self.detect, {"Bytes": padded(9 << 20)})
        self.refused("ValidationException", self.detect, {"Bytes": b""})

    def test_what_is_no_picture(self):
        gif = io.BytesIO()
        Image.new("RGB", (100, 100)).save(gif, "GIF")
        for data in (b"hello", gif.getvalue(), PHOTO[:2000], picture(200, 200, "PNG")[:100]):
            self.refused("InvalidImageFormatException", self.detect, {"Bytes": data})
        self.refused("InvalidParameterException", self.detect, {})
        both = {"Bytes": PHOTO, "S3Object": {"Bucket": "files", "Name": "photo.jpg"}}
        self.refused("InvalidParameterException", self.detect, both)

    def test_objects_in_a_bucket(self):
        def at(name, bucket="files", **more):
            return {"S3Object": {"Bucket": bucket, "Name": name, **more}}

        self.assertEqual(self.detect(at("photo.jpg")), self.detect())
        self.assertEqual(self.detect(at("yard/photo.jpg")), self.detect())
        (BUCKET / "large.jpg").write_bytes(padded(15 << 20))
        self.assertEqual(self.detect(at("large.jpg")), self.detect())
        (BUCKET / "larger.jpg").write_bytes(padded((15 << 20) + 1))
        self.refused("ImageTooLargeException", self.detect, at("larger.jpg"))
        for image in (
            at("no.jpg"),
            at("photo.jpg", "other"),
            at("../secret.jpg"),
            at("yard/../../secret.jpg"),
            at("/etc/hostname"),
            at("link.jpg"),
            at("linked/secret.jpg"),
            at("yard"),
            at("pipe"),
            # Keys are names, and not paths to be resolved.
            at("./photo.jpg"),
            at("yard/./photo.jpg"),
            at("yard//photo.jpg"),
            at("yard/../photo.jpg"),
            at("photo.jpg/"),
            at(".ocelli-uploads/x"),
            at("photo.jpg", Version="7"),
        ):
            self.refused("InvalidS3ObjectException", self.detect, image)

    def test_a_version_that_is_not_there(self):
        for arn in (
            self.arn.replace("us-east-1", "us-west-2"),
            self.arn.replace("000000000000", "111111111111"),
            self.arn.replace("/version/", "/version/x"),
        ):
            self.refused("ResourceNotFoundException", OPERATOR.detect_custom_labels, ProjectVersionArn=arn, Image={"Bytes": PHOTO})
        for arn in ("arn:aws:rekognition:us-east-1:000000000000:collection/faces", "x" * 30):
            self.refused("ValidationException", OPERATOR.detect_custom_labels, ProjectVersionArn=arn, Image={"Bytes": PHOTO})

    def test_the_arn_of_another_box_with_the_same_settings_is_good(self):
        arn = self.arn[:-1] + str((int(self.arn[-1]) + 1) % 10)
        self.assertTrue(OPERATOR.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})["CustomLabels"])

    def test_general_labels_have_instances_parents_and_filters(self):
        found = OPERATOR.detect_labels(Image={"Bytes": PHOTO})
        self.assertEqual(found["LabelModelVersion"], "3.0")
        labels = {label["Name"]: label for label in found["Labels"]}
        self.assertEqual(len(labels["Person"]["Instances"]), 1)
        self.assertEqual(labels["Person"]["Parents"], [])
        self.assertEqual(labels["Sports Ball"]["Parents"], [{"Name": "Sports Equipment"}, {"Name": "Sport"}])
        self.assertEqual(labels["Sport"]["Instances"], [])
        self.assertTrue(all(label["Confidence"] >= 55 for label in found["Labels"]))

        def names(**more):
            return {label["Name"] for label in OPERATOR.detect_labels(Image={"Bytes": PHOTO}, **more)["Labels"]}

        def general(**filters):
            return {"Settings": {"GeneralLabels": filters}}

        self.assertEqual(names(**general(LabelInclusionFilters=["Person"])), {"Person"})
        self.assertEqual(names(**general(LabelCategoryExclusionFilters=["Sports"])), {"Person"})
        self.assertEqual(len(names(MaxLabels=1)), 1)
        self.assertEqual(names(Features=["GENERAL_LABELS"]), set(labels))
        self.refused("InvalidParameterException", names, Features=["IMAGE_PROPERTIES"])
        self.refused("ValidationException", names, **general(LabelInclusionFilters=["x" * 51]))
        self.refused("ValidationException", names, **general(LabelInclusionFilters=["x"] * 101))

    def test_general_labels_take_five_mebibytes_and_eighty_pixels(self):
        def detect(data):
            return OPERATOR.detect_labels(Image={"Bytes": data})["Labels"]

        self.assertTrue(detect(padded(5 << 20)))
        self.assertEqual(detect(picture(80, 80)), [])
        self.assertEqual(detect(picture(10_000, 80, "PNG")), [])
        self.refused("InvalidParameterException", detect, picture(79, 80))
        self.refused("ImageTooLargeException", detect, picture(10_001, 80, "PNG"))
        self.refused("ImageTooLargeException", detect, picture(8_000, 8_000))
