"""Our MQTT contract as tables, and what a message has that they do not allow. `mqtt_contract_check.py` shows it fail.
Where `fastjsonschema` is installed, each message is held against its JSON Schema in `docs/schemas` too.

The limit of 16 KiB is for what is JSON: a picture of that length would be of no use."""

import json
import re
from datetime import datetime
from pathlib import Path

try:
    import fastjsonschema
except ImportError:
    fastjsonschema = None

MAX_BYTES = 16 * 1024
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ID = r"[a-z0-9_-]{1,64}"

# Kind: topic below <prefix>/<box>, QoS, retained.
TOPICS = {
    "available": (re.compile(r"available"), 1, True),
    "state": (re.compile(r"state"), 1, True),
    "camera state": (re.compile(rf"cameras/({ID})/state"), 1, True),
    "detections": (re.compile(rf"cameras/({ID})/detections"), 0, False),
    "events": (re.compile(rf"cameras/({ID})/events"), 1, False),
    "labels": (re.compile(rf"cameras/({ID})/labels/([^/+#\s]+)"), 1, True),
    "snapshot": (re.compile(rf"cameras/({ID})/snapshot"), 0, True),
    "command": (re.compile(r"command/[a-z0-9_-]+"), 1, False),
    "reply": (re.compile(r"reply"), 1, False),
}

# Kind of topic: its schema.
SCHEMAS = {"state": "ocelli.state.v1", "camera state": "ocelli.camera-state.v1", "detections": "ocelli.detections.v1",
           "events": "ocelli.event.v1", "reply": "ocelli.reply.v1", "camera command": "ocelli.camera-command.v1",
           "model command": "ocelli.model-command.v1"}


def compiled(name):
    schema = Path(__file__).resolve().parents[2] / "docs" / "schemas" / f"{name}.json"
    return fastjsonschema.compile(json.loads(schema.read_text()))


VALIDATORS = {kind: compiled(name) for kind, name in SCHEMAS.items()} if fastjsonschema else {}

# What every box with a camera says to a new subscriber.
ALWAYS = ["available", "state", "camera state"]


def text(value):
    return isinstance(value, str) and value != ""


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def positive(value):
    return whole(value) and value > 0


def ratio(value):
    return number(value) and 0 <= value <= 1


def time(value):
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.removesuffix("Z"))
    except ValueError:
        return False
    return True


def box(value):
    if not isinstance(value, dict) or not all(ratio(value.get(it)) for it in ("left", "top", "width", "height")):
        return False
    # A single rounding of 32 bits is not a box that leaves the picture.
    return value["left"] + value["width"] <= 1 + 1e-5 and value["top"] + value["height"] <= 1 + 1e-5


def texts(value):
    return isinstance(value, list) and all(text(it) for it in value)


def one_of(*values):
    return lambda value: value in values


def detection(value):
    return isinstance(value, dict) and not wrong_fields(value, DETECTION)


def latency(value):
    return isinstance(value, dict) and all(number(value.get(it)) and value[it] >= 0 for it in ("queue", "inference", "total"))


def nodes(value):
    return isinstance(value, dict) and all(isinstance(it, dict) and all(map(whole, it.values())) for it in value.values())


def model(value):
    return isinstance(value, dict) and not wrong_fields(value, MODEL)


# Name of a field: what it must be. A name that ends with `?` may be absent; others may be added within a version.
DETECTION = {"label": text, "confidence": ratio, "box?": box, "track?": whole}
MODEL = {"min_units": whole, "max_units?": whole, "desired_units": whole, "in_service_units": whole, "capacity_tps": number,
         "load_tps": number, "transactions": whole, "unit_batch": whole, "inference_hours": number, "nodes?": nodes,
         "variant?": one_of("float", "int8"), "execution_provider?": one_of("cpu", "cuda", "tensorrt", "openvino", "xnnpack")}
FIELDS = {
    "state": {"schema": one_of("ocelli.state.v1"), "version": text, "boot_id": text, "status": one_of("ok", "degraded"),
              "in_service_units": whole, "desired_units": whole, "streaming_cameras": whole, "wanted_cameras": whole,
              "models": lambda it: isinstance(it, dict) and all(map(model, it.values())),
              "degraded": texts},
    "camera state": {"schema": one_of("ocelli.camera-state.v1"), "state": one_of("connecting", "streaming", "stalled", "auth-failed", "offline", "disabled"),
                     "codec?": text, "width?": positive, "height?": positive, "fps": number, "reason?": text},
    "detections": {"schema": one_of("ocelli.detections.v1"), "id": text, "box": text, "camera": text, "frame": whole,
                   "captured_at": time, "clock_synced": lambda it: isinstance(it, bool), "monotonic_ms?": whole,
                   "width": positive, "height": positive, "model": text, "model_version": text, "latency_ms": latency,
                   "detections": lambda it: isinstance(it, list) and all(map(detection, it)),
                   "truncated?": one_of(True)},
    "events": {"schema": one_of("ocelli.event.v1"), "id": text, "seq": whole, "type": one_of("began", "changed", "ended"),
               "track?": whole, "label": text, "began_at": time, "at": time, "ended_at?": time, "confidence": ratio,
               "box?": lambda it: box(it) or text(it), "camera": text, "model": text, "regions?": texts, "dropped?": whole},
    "reply": {"schema": one_of("ocelli.reply.v1"), "command": text, "accepted": lambda it: isinstance(it, bool),
              "warning?": text, "error?": lambda it: isinstance(it, dict) and text(it.get("message"))},
}


def wrong_fields(message, fields):
    wrong = []
    for name, is_right in fields.items():
        key = name.removesuffix("?")
        if key not in message:
            wrong += [] if name.endswith("?") else [f"`{key}` is missing"]
        elif not is_right(message[key]):
            wrong.append(f"`{key}` is {json.dumps(message[key])[:120]}")
    return wrong


def wrong_by_schema(kind, message):
    if kind not in VALIDATORS:
        return []
    try:
        VALIDATORS[kind](message)
    except fastjsonschema.JsonSchemaValueException as error:
        return [f"{SCHEMAS[kind]}: {error.message}"[:200]]
    return []


def kind_of(rest):
    return next((kind for kind, (pattern, _, _) in TOPICS.items() if pattern.fullmatch(rest)), None)


class Contract:
    """The rules of one message, and those between messages of one box."""

    def __init__(self, box_id):
        self.box_id, self.ids = box_id, set()
        # By boot: the first and last `seq` of each camera, all that were heard, and how many were said to be dropped.
        self.ends, self.seqs, self.dropped = {}, {}, {}

    def wrong_in(self, rest, payload, qos, retained, sees_retain):
        """Sentences. `retained` says nothing of a live message unless the subscription `sees_retain` as published."""
        kind = kind_of(rest)
        if kind is None:
            return ["no such topic is in the contract"]
        pattern, wanted_qos, wanted_retained = TOPICS[kind]
        wrong = [f"QoS {qos}, not {wanted_qos}"] if qos != wanted_qos else []
        if (sees_retain or not wanted_retained) and retained != wanted_retained:
            wrong.append("is retained" if retained else "is not retained")
        if wanted_retained and kind != "available" and payload == b"":
            return wrong  # The topic is cleared.
        if len(payload) > MAX_BYTES and kind != "snapshot":
            wrong.append(f"{len(payload)} bytes, more than 16 KiB")
        if kind == "available" and payload not in (b"online", b"offline", b"stopped"):
            wrong.append(f"{payload[:40]!r} is none of online, offline, stopped")
        if kind == "labels" and not re.fullmatch(rb"0|[1-9]\d*", payload):
            wrong.append(f"{payload[:40]!r} is no count")
        if kind == "snapshot" and not (payload.startswith(b"\xff\xd8") and payload.endswith(b"\xff\xd9")):
            wrong.append("is no JPEG")
        if kind in FIELDS:
            camera = pattern.fullmatch(rest).group(1) if pattern.groups else None
            wrong += self.wrong_json(kind, camera, payload)
        return wrong

    def wrong_json(self, kind, camera, payload):
        try:
            message = json.loads(payload.decode("utf-8"), parse_constant=no_constant)
        except ValueError as error:
            return [f"is no JSON: {error}"]
        if not isinstance(message, dict):
            return ["is no JSON object"]
        wrong = wrong_fields(message, FIELDS[kind]) + wrong_by_schema(kind, message)
        if "camera" in message and message["camera"] != camera:
            wrong.append("names another camera than its topic")
        if kind == "detections" and not wrong:
            wrong += self.wrong_detections(message)
        if kind == "events" and not wrong:
            wrong += self.wrong_event(message, camera)
        return wrong

    def wrong_detections(self, message):
        wrong = [] if message["box"] == self.box_id else ["names another box than its topic"]
        if not message["clock_synced"] and "monotonic_ms" not in message:
            wrong.append("`monotonic_ms` is missing beside a time that is not to be trusted")
        if message["id"] in self.ids:
            wrong.append("its id was used before")
        self.ids.add(message["id"])
        return wrong

    def wrong_event(self, message, camera):
        """At least once: an event may come again. A new one of a camera has a higher `seq` than its last."""
        wrong = []
        if message["type"] == "ended" and "ended_at" not in message:
            wrong.append("`ended_at` is missing of what has ended")
        if message["began_at"] > message["at"]:
            wrong.append("is of a time before it began")
        if message["id"] in self.ids:
            return wrong
        self.ids.add(message["id"])
        boot, seq = message["id"].rpartition("-")[0], message["seq"]
        first, last = self.ends.setdefault(boot, {}).get(camera, (seq, 0))
        if seq <= last:
            wrong.append(f"`seq` {seq} comes after {last} of the same camera")
        self.ends[boot][camera] = (first, max(seq, last))
        self.seqs.setdefault(boot, set()).add(seq)
        self.dropped[boot] = self.dropped.get(boot, 0) + message.get("dropped", 0)
        return wrong

    def wrong_at_the_end(self):
        """`seq` counts the whole box, and a camera that is behind is overtaken by the others: a number is missing only
        where no camera's first event has come later and no camera's last one earlier."""
        wrong = []
        for boot, cameras in self.ends.items():
            begin, end = max(first for first, _ in cameras.values()), min(last for _, last in cameras.values())
            missing = sorted(set(range(begin, end)) - self.seqs[boot])
            if len(missing) > self.dropped[boot]:
                wrong.append(f"events: `seq` {missing} never came, and {self.dropped[boot]} are said to be dropped")
        return wrong


def no_constant(name):
    raise ValueError(f"{name} is no number of JSON")
