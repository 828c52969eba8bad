"""Putting, getting, listing and deleting objects by boto3, over plain HTTP and over TLS."""

import hashlib
import io
import os
import pathlib
import re

from clients import BOTOCORE, BUCKET, PHOTO, Case, client
from raw import Signed

WRITER = client()
TLS = client(over_tls=True)


class Objects(Case):
    def test_an_object_is_put_looked_at_read_in_parts_and_deleted(self):
        for s3 in (WRITER, TLS):
            key = "yard/2026-11-30 08:00/ü+%2e&<b>.jpg"
            tag = s3.put_object(Bucket="files", Key=key, Body=PHOTO, ContentType="image/jpeg")["ETag"]
            self.assertEqual((BUCKET / key).read_bytes(), PHOTO)
            head = s3.head_object(Bucket="files", Key=key)
            self.assertEqual((head["ContentLength"], head["ETag"]), (len(PHOTO), tag))
            whole = s3.get_object(Bucket="files", Key=key)
            self.assertEqual((whole["Body"].read(), whole["ETag"]), (PHOTO, tag))
            for span, part in (("bytes=0-9", PHOTO[:10]), ("bytes=-10", PHOTO[-10:]), ("bytes=100-", PHOTO[100:])):
                got = s3.get_object(Bucket="files", Key=key, Range=span)
                self.assertEqual(got["Body"].read(), part, span)
                self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 206)
            self.refused("304", s3.get_object, Bucket="files", Key=key, IfNoneMatch=tag)
            self.refused("PreconditionFailed", s3.get_object, Bucket="files", Key=key, IfMatch='"x"')
            self.assertNotEqual(s3.put_object(Bucket="files", Key=key, Body=PHOTO)["ETag"], tag)
            s3.get_object(Bucket="files", Key=key, IfNoneMatch=tag)
            s3.delete_object(Bucket="files", Key=key)
            s3.delete_object(Bucket="files", Key=key)
            self.assertFalse((BUCKET / "yard/2026-11-30 08:00").exists())
            self.refused("NoSuchKey", s3.get_object, Bucket="files", Key=key)
            self.refused("404", s3.head_object, Bucket="files", Key=key)

    def test_every_way_to_send_a_body_is_taken(self):
        ways = [{}, {"ChecksumAlgorithm": "SHA1"}, {"ChecksumAlgorithm": "SHA256"}]
        # Since 1.36 boto3 adds a checksum by itself.
        chooses = BOTOCORE >= (1, 36)
        for over_tls in (False, True):
            for when in ("when_supported", "when_required") if chooses else (None,):
                for signed in (None, True, False):
                    s3 = {"addressing_style": "path"} | ({} if signed is None else {"payload_signing_enabled": signed})
                    config = {"request_checksum_calculation": when} if when else {}
                    sender = client(over_tls=over_tls, s3=s3, **config)
                    for way in ways:
                        # Over plain HTTP nothing would vouch for a body that is not signed.
                        if signed is False and not over_tls:
                            put = sender.put_object
                            self.refused("AccessDenied", put, Bucket="files", Key="ways/x", Body=b"hello", **way)
                            continue
                        for body in (b"", b"hello", io.BytesIO(PHOTO), b"x" * 3_000_000):
                            data = body.read() if hasattr(body, "read") else body
                            body = io.BytesIO(data) if hasattr(body, "read") else body
                            sender.put_object(Bucket="files", Key="ways/x", Body=body, **way)
                            self.assertEqual((BUCKET / "ways/x").read_bytes(), data)
        WRITER.delete_object(Bucket="files", Key="ways/x")

    def test_an_empty_body_that_waits_to_be_asked_for_ends_the_connection(self):
        # It is answered without `100 Continue`, and boto3 up to 1.40 takes that answer's status for that of the next one too.
        for body, ends in ((b"", "close"), (b"hello", None)):
            headers = {"expect": "100-continue"}
            connection = Signed("PUT", "/files/asked-for", hashlib.sha256(body).hexdigest(), headers).begin(len(body))
            connection.send(body)
            response = connection.getresponse()
            self.assertEqual((response.status, response.headers["connection"]), (200, ends))
            connection.close()
        WRITER.delete_object(Bucket="files", Key="asked-for")

    def test_a_condition_keeps_an_object_from_being_replaced(self):
        tag = WRITER.put_object(Bucket="files", Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
        self.refused("PreconditionFailed", WRITER.put_object, Bucket="files", Key="once", Body=b"2", IfNoneMatch="*")
        self.refused("PreconditionFailed", WRITER.put_object, Bucket="files", Key="once", Body=b"2", IfMatch='"x"')
        WRITER.put_object(Bucket="files", Key="once", Body=b"3", IfMatch=tag)
        self.assertEqual((BUCKET / "once").read_bytes(), b"3")
        WRITER.delete_object(Bucket="files", Key="once")
        self.refused("NoSuchKey", WRITER.put_object, Bucket="files", Key="once", Body=b"4", IfMatch=tag)

    def test_an_object_of_100_mb_is_never_in_memory_as_a_whole(self):
        status = pathlib.Path("/proc", os.environ["OCELLI_PID"])
        data = os.urandom(1 << 20) * 100

        def peak():
            return int(re.search(r"VmHWM:\s+(\d+) kB", (status / "status").read_text())[1]) << 10

        # The peak from now on.
        (status / "clear_refs").write_text("5")
        before = peak()
        WRITER.put_object(Bucket="files", Key="large", Body=data)
        TLS.put_object(Bucket="files", Key="large", Body=io.BytesIO(data))
        hashed = hashlib.sha256()
        for part in WRITER.get_object(Bucket="files", Key="large")["Body"].iter_chunks(1 << 20):
            hashed.update(part)
        self.assertEqual(hashed.digest(), hashlib.sha256(data).digest())
        self.assertLess(peak() - before, 32 << 20)
        WRITER.delete_object(Bucket="files", Key="large")


class Listing(Case):
    KEYS = ["list/a-b", "list/a/1", "list/a/2", "list/b/c/d", "list/b2", "list/z", "list/ü&<>+ %"]

    def setUp(self):
        for key in self.KEYS:
            WRITER.put_object(Bucket="files", Key=key, Body=key.encode())

    def tearDown(self):
        for key in self.keys(Prefix="list/"):
            WRITER.delete_object(Bucket="files", Key=key)
        self.assertFalse((BUCKET / "list").exists())

    def keys(self, **query):
        pages = WRITER.get_paginator("list_objects_v2").paginate(Bucket="files", **query)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def test_pages_of_any_size_have_all_keys_in_order(self):
        for size in (1, 2, 3, 1000):
            self.assertEqual(self.keys(Prefix="list/", PaginationConfig={"PageSize": size}), self.KEYS)
        self.assertEqual(self.keys(Prefix="list/", StartAfter="list/b"), self.KEYS[3:])

    def test_a_delimiter_rolls_up_what_is_below_it(self):
        prefixes, keys = [], []
        for page in WRITER.get_paginator("list_objects_v2").paginate(
            Bucket="files", Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}
        ):
            prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
            keys += [found["Key"] for found in page.get("Contents", [])]
        self.assertEqual(prefixes, ["list/a/", "list/b/"])
        self.assertEqual(keys, ["list/a-b", "list/b2", "list/z", "list/ü&<>+ %"])

    def test_what_is_listed_is_what_is_read(self):
        found = WRITER.list_objects_v2(Bucket="files", Prefix="list/z")["Contents"][0]
        head = WRITER.head_object(Bucket="files", Key="list/z")
        self.assertEqual((found["ETag"], found["Size"]), (head["ETag"], head["ContentLength"]))
        self.assertLess(abs((found["LastModified"] - head["LastModified"]).total_seconds()), 1)

    def test_links_pipes_and_what_lies_outside_are_not_listed(self):
        keys = self.keys()
        self.assertIn("photo.jpg", keys)
        for name in ("link.jpg", "linked", "pipe", "secret", ".ocelli-uploads"):
            self.assertFalse([key for key in keys if key.startswith(name)], name)

    def test_buckets_that_can_be_reached_are_there(self):
        head = WRITER.head_bucket(Bucket="files")["ResponseMetadata"]["HTTPHeaders"]
        self.assertTrue(head["x-amz-bucket-region"])
        self.refused("403", WRITER.head_bucket, Bucket="hidden")
        self.refused("404", client(key="AKIDOPERATOR").head_bucket, Bucket="nowhere")
