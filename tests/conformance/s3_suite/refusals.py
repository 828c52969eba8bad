"""Requests that no SDK would send, or not to this bucket with this key. Each changes nothing."""

import base64
import hashlib
import http.client
import time

from clients import BUCKET, PUBLIC, Case, client
from raw import EMPTY, ENDPOINT, STREAMING, UNSIGNED_TRAILER, Signed, answer, checksum, get, put

OUTSIDE = BUCKET.parent / "secret.jpg"
TARGET = "/files/refused"


def chunked(kind, chunks, decoded, trailer=None, forge=None, lines=True, **signed):
    """Puts chunks that are signed unless `kind` says otherwise; `forge` changes what is sent."""
    headers = {"x-amz-decoded-content-length": str(decoded), "content-encoding": "aws-chunked"}
    if trailer:
        headers["x-amz-trailer"] = trailer.partition(":")[0]
    request = Signed("PUT", TARGET, kind, headers, **signed)
    if kind == UNSIGNED_TRAILER:
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n"
        body += f"{trailer}\r\n\r\n".encode() if lines else b"\r\n"
    else:
        body = b"".join(request.chunk(chunk) for chunk in [*chunks, b""])
        body += request.trailer(trailer) if trailer else b"\r\n"
    return request.send(forge(body) if forge else body)


class Refusals(Case):
    refused_cases = 0

    @classmethod
    def tearDownClass(cls):
        print(f"{cls.refused_cases} requests were refused as they should be")
        assert cls.refused_cases >= 40

    def setUp(self):
        self.before = self.bucket()

    def tearDown(self):
        # What was refused may be removed a moment after the answer.
        end = time.monotonic() + 5
        while self.bucket() != self.before and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(self.bucket(), self.before)

    def bucket(self):
        """All files with their lengths, and the one outside."""
        files = {str(file): file.stat().st_size for file in BUCKET.rglob("*") if file.is_file() and not file.is_symlink()}
        return files | {"outside": hashlib.sha256(OUTSIDE.read_bytes()).hexdigest()}

    def check(self, cases):
        for name, code, call in cases:
            with self.subTest(name):
                status, got = call()
                self.assertEqual(got, code, status)
                Refusals.refused_cases += code != "ok"

    def test_no_name_leads_out_of_the_bucket(self):
        ways = ["../secret.jpg", "edge/../../secret.jpg", "%2e%2e/secret.jpg", "..%2fsecret.jpg", "%2e%2e%2fsecret.jpg",
                "%2Fetc%2Fpasswd", "/etc/passwd", "link.jpg", "linked/secret.jpg", "linked%2Fsecret.jpg", "pipe",
                ".%2Fphoto.jpg", "edge%2F%2Fmanifest.toml", ".ocelli-uploads/x"]
        double = ["%252e%252e/secret.jpg", "%252e%252e%252fsecret.jpg"]
        nul = ["photo.jpg%00", "%00", "a%00/../photo.jpg", "photo%0a.jpg"]
        self.check((way, "NoSuchKey", lambda way=way: get(f"/files/{way}")) for way in ways + double + nul)
        for way in ways + nul:
            with self.subTest(way):
                status, code = put(f"/files/{way}")
                self.assertIn(code, ("InvalidArgument", "NoSuchKey"), status)
        # Deleting what is no object succeeds, as in S3, and deletes nothing.
        for way in ways + nul:
            self.assertEqual(Signed("DELETE", f"/files/{way}", EMPTY).send(), (204, "ok"), way)
        self.check([
            ("bytes that are no text", "InvalidURI", lambda: get("/files/%ff")),
            ("a bucket with a path", "AccessDenied", lambda: get("/..%2Ffiles/photo.jpg")),
            ("a key of 1100 bytes", "KeyTooLongError", lambda: put("/files/" + "a/" * 550 + "a")),
            ("a name of 256 bytes", "InvalidArgument", lambda: put("/files/" + "a" * 256)),
            ("a path of 100 directories", "InvalidArgument", lambda: put("/files/" + "a/" * 100 + "a")),
            ("a key below an object", "InvalidArgument", lambda: put("/files/photo.jpg/below")),
            ("a directory", "InvalidArgument", lambda: put("/files/edge")),
            ("a directory to read", "NoSuchKey", lambda: get("/files/edge")),
        ])

    def test_double_encoded_names_are_names(self):
        # Decoded once, they are odd names of files inside.
        self.assertEqual(put("/files/%252e%252e%252fodd"), (200, "ok"))
        self.assertTrue((BUCKET / "%2e%2e%2fodd").exists())
        self.assertEqual(Signed("DELETE", "/files/%252e%252e%252fodd", EMPTY).send(), (204, "ok"))

    def test_bodies_are_the_ones_that_were_signed(self):
        md5 = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
        large = b"x" * 100_000
        data = [large, b"hello"]
        crc = "x-amz-checksum-crc32:" + checksum("crc32", b"hello")
        self.check([
            ("another hash", "XAmzContentSHA256Mismatch", lambda: put(TARGET, payload="0" * 64)),
            ("no hash", "InvalidArgument", lambda: put(TARGET, payload="yes")),
            ("an elliptic curve", "InvalidArgument", lambda: put(TARGET, payload="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")),
            ("another md5", "BadDigest", lambda: put(TARGET, b"hellO", headers={"content-md5": md5})),
            ("no md5", "InvalidDigest", lambda: put(TARGET, headers={"content-md5": "abc"})),
            ("an unsigned body", "AccessDenied", lambda: put(TARGET, payload="UNSIGNED-PAYLOAD")),
            ("unsigned chunks", "AccessDenied", lambda: chunked(UNSIGNED_TRAILER, [b"hello"], 5, crc)),
            ("a forged chunk", "SignatureDoesNotMatch",
             lambda: chunked(STREAMING, data, 100_005, forge=lambda body: body.replace(b"hello", b"hellO"))),
            ("a chunk that is missing", "SignatureDoesNotMatch",
             lambda: chunked(STREAMING, data, 100_005, forge=lambda body: body[body.index(b"\r\n5;") + 2 :])),
            ("a chunk without signature", "IncompleteBody",
             lambda: chunked(STREAMING, data, 100_005, forge=lambda body: b"5\r\nhello\r\n" + body)),
            ("a chunk that was added", "SignatureDoesNotMatch", lambda: chunked(
                STREAMING, data, 100_010,
                forge=lambda body: b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n" + body)),
            ("the last chunk forged", "SignatureDoesNotMatch",
             lambda: chunked(STREAMING, data, 100_005, forge=lambda body: body[:-68] + b"0" * 64 + b"\r\n\r\n")),
            ("a wrong signed crc", "BadDigest",
             lambda: chunked(STREAMING + "-TRAILER", [b"hellO"], 5, crc)),
            ("a forged crc", "SignatureDoesNotMatch", lambda: chunked(
                STREAMING + "-TRAILER", [b"hello"], 5, crc, forge=lambda body: body.replace(b"NhCmhg", b"NhCmhQ"))),
            ("chunks longer than announced", "IncompleteBody", lambda: chunked(STREAMING, data, 100)),
            ("chunks shorter than announced", "IncompleteBody", lambda: chunked(STREAMING, data, 200_000)),
            ("no announced length", "MissingContentLength", lambda: put(TARGET, payload=STREAMING)),
            ("chunks of no length", "IncompleteBody", lambda: chunked(STREAMING, data, 5, forge=lambda _: b"zz\r\n")),
            ("a length without end", "IncompleteBody", lambda: chunked(STREAMING, data, 5, forge=lambda _: b"1" * 9999)),
            ("tiny chunks", "InvalidChunkSizeError",
             lambda: chunked(UNSIGNED_TRAILER, [b"x"] * 5000, 5000, crc, endpoint=PUBLIC)),
        ])
        for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256"):
            header, wrong = f"x-amz-checksum-{name}", checksum(name, b"hellO")
            right = checksum(name, b"hello")
            self.check([
                (f"{name} in the head", "BadDigest", lambda h=header, w=wrong: put(TARGET, headers={h: w})),
                (f"{name} that is none", "InvalidRequest", lambda h=header: put(TARGET, headers={h: "abc"})),
                (f"{name} behind the body", "BadDigest",
                 lambda h=header, w=wrong: chunked(UNSIGNED_TRAILER, [b"hello"], 5, f"{h}:{w}", endpoint=PUBLIC)),
                (f"{name} announced and missing", "MalformedTrailerError", lambda h=header: chunked(
                    UNSIGNED_TRAILER, [b"hello"], 5, f"{h}:", endpoint=PUBLIC, lines=False)),
                (f"{name} that is right", "ok",
                 lambda h=header, r=right: chunked(UNSIGNED_TRAILER, [b"hello"], 5, f"{h}:{r}", endpoint=PUBLIC)),
                (f"{name} that is right and signed", "ok",
                 lambda h=header, r=right: chunked(STREAMING + "-TRAILER", [b"hello"], 5, f"{h}:{r}")),
                ("removed", "ok", lambda: Signed("DELETE", TARGET, EMPTY).send()),
            ])
        two = {"x-amz-checksum-crc32": checksum("crc32", b"hello"), "x-amz-checksum-sha1": checksum("sha1", b"hello")}
        self.check([("two checksums", "InvalidRequest", lambda: put(TARGET, headers=two))])

    def test_half_an_upload_is_none(self):
        uploads = BUCKET / ".ocelli-uploads"

        def wait_until(is_there, what):
            end = time.monotonic() + 20
            while any(uploads.iterdir()) != is_there:
                self.assertLess(time.monotonic(), end, what)
                time.sleep(0.01)

        for payload, sent in ((hashlib.sha256(b"x" * 100_000).hexdigest(), b"x" * 50_000), (STREAMING, b"186a0;chunk-sig")):
            headers = {"x-amz-decoded-content-length": "100000"} if payload == STREAMING else {}
            connection = Signed("PUT", TARGET, payload, headers).begin(100_000)
            connection.send(sent)
            wait_until(True, "no upload has begun")
            connection.close()
            wait_until(False, "a half upload is still there")

    def test_keys_signatures_and_roles(self):
        def old():
            connection = http.client.HTTPConnection(ENDPOINT.partition("//")[2], timeout=30)
            connection.request("GET", "/files/photo.jpg", headers={"authorization": "AWS AKIDWRITER:abc="})
            return answer(connection)

        def presigned():
            connection = http.client.HTTPConnection(ENDPOINT.partition("//")[2], timeout=30)
            url = client(signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "files", "Key": "photo.jpg"})
            connection.request("GET", url.partition(ENDPOINT)[2])
            return answer(connection)

        def moved():
            request = Signed("PUT", "/files/elsewhere", hashlib.sha256(b"hello").hexdigest())
            request.path = TARGET
            return request.send(b"hello")

        photo = "/files/photo.jpg"
        self.check([
            ("a wrong secret", "SignatureDoesNotMatch", lambda: get(photo, secret="another-secret")),
            ("an unknown key", "InvalidAccessKeyId", lambda: get(photo, key="AKIDNOBODY")),
            ("a key that is none", "AuthorizationHeaderMalformed", lambda: get(photo, key="A/B")),
            ("an old signature", "RequestTimeTooSkewed", lambda: get(photo, age=3600)),
            ("another path", "SignatureDoesNotMatch", moved),
            ("a header that is not signed", "AccessDenied",
             lambda: put(TARGET, headers={"x-amz-acl": "private"}, unsigned=["x-amz-acl"])),
            ("a hash that is not signed", "AuthorizationHeaderMalformed",
             lambda: get(photo, unsigned=["x-amz-content-sha256"])),
            ("the signature of 2006", "InvalidRequest", old),
            ("a presigned address", "AccessDenied", presigned),
            ("an operator who writes", "AccessDenied", lambda: put(TARGET, key="AKIDOPERATOR")),
            ("a reader who writes", "AccessDenied", lambda: put(TARGET, key="AKIDREADER")),
            ("a reader who deletes", "AccessDenied", lambda: Signed("DELETE", photo, EMPTY, key="AKIDREADER").send()),
            ("a reader of another bucket", "AccessDenied", lambda: get("/shown/there.txt", key="AKIDREADER")),
            ("a camera that reads", "AccessDenied", lambda: get(photo, key="AKIDCAMERA")),
            ("a camera that lists", "AccessDenied", lambda: get("/files?list-type=2", key="AKIDCAMERA")),
            ("a camera that asks for no bucket", "AccessDenied", lambda: get("/nowhere/x", key="AKIDCAMERA")),
            ("a bucket that is only shown", "AccessDenied", lambda: put("/shown/x")),
            ("a bucket that is hidden", "AccessDenied", lambda: get("/hidden/there.txt")),
            ("a bucket that is hidden from operators", "AccessDenied", lambda: get("/hidden/there.txt", key="AKIDOPERATOR")),
            ("no bucket", "NoSuchBucket", lambda: get("/nowhere/x", key="AKIDOPERATOR")),
            ("another owner", "AccessDenied", lambda: get(photo, {"x-amz-expected-bucket-owner": "123456789012"})),
            ("a reader who reads", "ok", lambda: get(photo, key="AKIDREADER")),
            ("what is shown", "ok", lambda: get("/shown/there.txt")),
            ("an operator who reads", "ok", lambda: get("/shown/there.txt", key="AKIDOPERATOR")),
        ])

    def test_sizes_ranges_and_what_the_box_has_not(self):
        head = {"x-amz-user-agent": "x" * 20_000}
        lists = "/files?list-type=2&"
        self.check([
            ("an object that is too large", "EntityTooLarge", lambda: put("/small/x", b"x" * ((1 << 20) + 1))),
            ("one of 600 MB that is only announced", "EntityTooLarge",
             lambda: Signed("PUT", TARGET, EMPTY).send(length=600 << 20)),
            ("a length without a number", "MissingContentLength",
             lambda: put(TARGET, payload=STREAMING, headers={"x-amz-decoded-content-length": "-1"})),
            ("a range behind the end", "InvalidRange", lambda: get("/files/photo.jpg", {"range": "bytes=99999999-"})),
            ("an empty range", "InvalidRange", lambda: get("/files/photo.jpg", {"range": "bytes=-0"})),
            ("metadata", "NotImplemented", lambda: put(TARGET, headers={"x-amz-meta-a": "b"})),
            ("an encoding", "NotImplemented", lambda: put(TARGET, headers={"content-encoding": "gzip"})),
            ("a public object", "NotImplemented", lambda: put(TARGET, headers={"x-amz-acl": "public-read"})),
            ("a copy", "NotImplemented", lambda: put(TARGET, headers={"x-amz-copy-source": "/files/photo.jpg"})),
            ("all buckets", "NotImplemented", lambda: get("/")),
            ("a multipart upload", "NotImplemented", lambda: Signed("POST", TARGET + "?uploads", EMPTY).send()),
            ("many deletes", "NotImplemented", lambda: Signed("POST", "/files?delete", EMPTY).send()),
            ("too few keys", "InvalidArgument", lambda: get(lists + "max-keys=-1")),
            ("a made-up token", "InvalidArgument", lambda: get(lists + "continuation-token=%21%21")),
            ("another encoding", "InvalidArgument", lambda: get(lists + "encoding-type=hex")),
            ("a parameter twice", "InvalidArgument", lambda: get(lists + "prefix=a&prefix=b")),
            ("a method of nobody", "InvalidArgument", lambda: Signed("PATCH", TARGET, EMPTY).send()),
        ])
        connection = Signed("GET", "/files/photo.jpg", EMPTY, head).begin(None)
        self.assertEqual(connection.getresponse().status, 431)
        # Two objects of 900 kB fit into 2 MiB beside what is there, and a third does not.
        for name in ("1", "2"):
            self.assertEqual(put(f"/small/{name}", bytes(900_000)), (200, "ok"))
        self.assertEqual(put("/small/3", bytes(900_000)), (403, "QuotaExceeded"))
        self.assertEqual(Signed("DELETE", "/small/1", EMPTY).send(), (204, "ok"))
        self.assertEqual(put("/small/3", bytes(900_000)), (200, "ok"))
