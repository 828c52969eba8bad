"""Whether a response is one of the service model: members, types, bounds, patterns, errors of the operation."""

import datetime
import email.utils
import json
import urllib.parse
import xml.etree.ElementTree as xml

import regex
from botocore.loaders import Loader
from botocore.model import ServiceModel

# "Common errors" of the references of both services, which every operation may return; as JSON services spell them.
COMMON = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}

OF_ERRORS = ("__type", "Code", "Logref", "Message")


def text_problems(shape, value):
    bounds, length = shape.metadata, len(value)
    if length < bounds.get("min", 0) or length > bounds.get("max", length):
        yield f"has {length} characters or bytes"
    if (pattern := bounds.get("pattern")) and not regex.search(f"^(?:{pattern})$", value, regex.DOTALL):
        yield f"is not of the form {pattern}: {value[:200]}"
    if (values := bounds.get("enum")) and value not in values:
        yield f"is none of its values: {value[:80]}"


def number_problems(shape, value):
    bounds = shape.metadata
    if value < bounds.get("min", value) or value > bounds.get("max", value):
        yield f"is out of bounds: {value}"


class Judge:
    def __init__(self):
        loader = Loader()

        def model(service):
            return ServiceModel(loader.load_service_model(service, "service-2"), service)

        self.rekognition, self.s3 = model("rekognition"), model("s3")

    def problems(self, request, response):
        """The operation of a request, and what is wrong with its response."""
        target = request.headers.get("x-amz-target", "")
        if target.startswith("RekognitionService."):
            name = target.partition(".")[2]
            known = name in self.rekognition.operation_names
            operation = self.rekognition.operation_model(name) if known else None
            return name if known else "unknown", list(self.of_json(operation, response))
        name = s3_operation(request)
        operation = self.s3.operation_model(name) if name else None
        return name or "S3", list(self.of_s3(operation, request, response))

    def of_json(self, operation, response):
        if response.headers.get("content-type") != "application/x-amz-json-1.1":
            yield f"the type is {response.headers.get('content-type')}"
        if not regex.fullmatch(r"[0-9a-f-]{36}", response.headers.get("x-amzn-requestid", "")):
            yield "there is no request id"
        body = json.loads(response.body)
        if response.status == 200:
            yield from self.value(operation.output_shape, body, "")
            return
        code = body.get("__type", "")
        for name in OF_ERRORS:
            if not isinstance(body.get(name), str) or not body[name]:
                yield f"{code}.{name} is no text"
        shapes = {shape.name: shape for shape in (operation.error_shapes if operation else [])}
        if code in shapes:
            # The model of most errors is empty: these are what the service sends with each, and what SDKs read.
            members = {name: value for name, value in body.items() if name not in OF_ERRORS}
            yield from self.value(shapes[code], members, code)
            expected = shapes[code].metadata.get("error", {}).get("httpStatusCode", 400)
            if response.status not in (400, expected) and not shapes[code].metadata.get("fault"):
                yield f"{code} with this status"
        elif code not in COMMON:
            yield f"{code} is no error of this operation"

    def value(self, shape, value, path):
        """What is wrong with a value of JSON."""
        kind, problems = shape.type_name, []
        if kind == "structure":
            if not isinstance(value, dict):
                yield f"{path} is no structure"
                return
            for name in shape.required_members:
                if name not in value:
                    yield f"{path}.{name} is missing"
            for name, member in value.items():
                if name in shape.members:
                    yield from self.value(shape.members[name], member, f"{path}.{name}")
                else:
                    yield f"{path}.{name} is not in the model"
        elif kind in ("list", "map"):
            parts = value.values() if kind == "map" else value
            if not isinstance(value, dict if kind == "map" else list):
                yield f"{path} is no {kind}"
                return
            problems = number_problems(shape, len(value))
            for part in parts:
                yield from self.value(shape.value if kind == "map" else shape.member, part, f"{path}[]")
        elif kind == "string":
            problems = text_problems(shape, value) if isinstance(value, str) else ["is no text"]
        elif kind == "boolean":
            problems = [] if isinstance(value, bool) else ["is no boolean"]
        elif kind in ("float", "double", "timestamp", "integer", "long"):
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_whole = kind not in ("integer", "long") or isinstance(value, int)
            problems = number_problems(shape, value) if is_number and is_whole else [f"is no {kind}: {value}"]
        else:
            problems = [f"has the type {kind}, which no response of a box has"]
        for problem in problems:
            yield f"{path} {problem}"

    def of_s3(self, operation, request, response):
        for name in ("x-amz-request-id", "x-amz-id-2"):
            if name not in response.headers:
                yield f"there is no {name}"
        if response.status >= 300:
            yield from self.s3_error(request, response)
            return
        if operation is None:
            yield "a request that is no operation of the box is answered"
            return
        output = operation.output_shape
        members = output.members if output else {}
        for name, shape in members.items():
            header = shape.serialization.get("name", "").lower()
            if shape.serialization.get("location") == "header" and header in response.headers:
                yield from scalar_problems(shape, response.headers[header], name, "rfc822")
        if operation.name == "ListObjectsV2":
            root = document(response.body)
            if bare(root.tag) != "ListBucketResult":
                yield f"the document is a {bare(root.tag)}"
            yield from self.element(output, root, "")
        elif operation.name != "GetObject" and response.body:
            yield "there is a body"

    def s3_error(self, request, response):
        if request.method == "HEAD" or response.status == 304:
            return
        root = document(response.body)
        texts = {bare(child.tag): child.text or "" for child in root}
        if bare(root.tag) != "Error" or not {"Code", "Message", "Resource", "RequestId", "HostId"} <= set(texts):
            yield f"no document of an error: {sorted(texts)}"
        elif not regex.fullmatch("[A-Za-z0-9]+", texts["Code"]) or not texts["Message"]:
            yield f"an error without code or message: {texts}"
        elif texts["RequestId"] != response.headers.get("x-amz-request-id"):
            yield "the document has another request id than the head"

    def element(self, shape, element, path):
        """What is wrong with an element of XML."""
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()
                 if "location" not in member.serialization}
        for child in element:
            name = bare(child.tag)
            member = names.get(name)
            if member is None:
                yield f"{path}.{name} is not in the model"
                continue
            member = member.member if member.type_name == "list" else member
            if member.type_name == "structure":
                yield from self.element(member, child, f"{path}.{name}")
            else:
                yield from scalar_problems(member, child.text or "", f"{path}.{name}", "iso8601")


def scalar_problems(shape, text, path, time_format):
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            int(text)
        elif kind == "timestamp":
            iso = time_format == "iso8601"
            datetime.datetime.fromisoformat(text) if iso else email.utils.parsedate_to_datetime(text)
        elif kind == "boolean" and text not in ("true", "false"):
            raise ValueError(text)
        elif kind == "string":
            for problem in text_problems(shape, text):
                yield f"{path} {problem}"
    except (TypeError, ValueError) as error:
        yield f"{path} is no {kind}: {error}"


def document(body):
    try:
        return xml.fromstring(body)
    except xml.ParseError as error:
        raise ValueError(f"no XML: {error}") from error


def bare(tag):
    return tag.rpartition("}")[2]


def s3_operation(request):
    """The operation of a request that the box has, as the models of S3 name it."""
    path, _, query = request.target.partition("?")
    bucket, _, key = path.lstrip("/").partition("/")
    names = {name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)} - {"x-id"}
    if key and not names:
        objects = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
        return objects.get(request.method)
    if bucket and not key:
        if request.method == "HEAD" and not names:
            return "HeadBucket"
        if request.method == "GET" and "list-type" in names:
            return "ListObjectsV2"
    return None
