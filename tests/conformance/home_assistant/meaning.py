"""What Home Assistant makes of the payloads of our contract, by its own templates."""

import json

from homeassistant.components.mqtt.models import MqttValueTemplate

EVENT = {
    "schema": "ocelli.event.v1",
    "id": "5f1c-000000001",
    "seq": 1,
    "type": "began",
    "track": 17,
    "label": "person",
    "confidence": 0.91,
    "regions": ["gate"],
}

# By the kind of topic that an entity follows: payloads and the states that they mean.
STATES = {
    ("binary_sensor", "/labels/"): [("0", "OFF"), ("1", "ON"), ("12", "ON")],
    ("sensor", "/labels/"): [("0", "0"), ("12", "12")],
    ("binary_sensor", "/state"): [
        ('{"state":"streaming","codec":"h264","fps":5.0}', "ON"),
        ('{"state":"connecting","fps":5.0}', "OFF"),
        ('{"state":"auth-failed","fps":5.0,"reason":"401"}', "OFF"),
        ('{"state":"offline","fps":5.0}', "OFF"),
        ('{"state":"disabled","fps":5.0}', "OFF"),
    ],
}
AVAILABILITY = {
    "/available": [("online", "online"), ("offline", "offline"), ("stopped", "offline")],
    "/state": [('{"state":"streaming","fps":5.0}', "online"), ('{"state":"stalled","fps":5.0}', "offline")],
}


def render(template, payload):
    value = MqttValueTemplate(template).async_render_with_possible_json_value(payload) if template else payload
    return str(value)


def wrong_meanings(components):
    """Sentences about states that are not those of the contract, and entities that should be there and are not."""
    wrong = []
    for key, (platform, configuration) in components.items():
        template, topic = configuration.get("value_template"), configuration.get("state_topic", "")
        for (of_platform, part), cases in STATES.items():
            if platform == of_platform and part in topic:
                wrong += wrong_values(key, template, cases)
        if platform == "event":
            wrong += wrong_event(key, template, configuration["event_types"])
        wrong += wrong_availability(key, configuration)
    for wanted in ("binary_sensor", "sensor", "image", "event"):
        if wanted not in {platform for platform, _ in components.values()}:
            wrong.append(f"there is no {wanted}")
    return wrong


def wrong_values(key, template, cases):
    rendered = [(payload, render(template, payload), meant) for payload, meant in cases]
    return [f"{key}: `{payload}` becomes {state}, not {meant}" for payload, state, meant in rendered if state != meant]


def wrong_event(key, template, types):
    wrong = []
    for kind in ("began", "changed", "ended"):
        rendered = json.loads(render(template, json.dumps(EVENT | {"type": kind})))
        if rendered.get("event_type") != kind or kind not in types:
            wrong.append(f"{key}: an event that {kind} is a {rendered.get('event_type')} of {types}")
        if (rendered.get("label"), rendered.get("track")) != ("person", 17):
            wrong.append(f"{key}: label or track is lost")
    return wrong


def wrong_availability(key, configuration):
    sources = configuration.get("availability", [])
    wrong = [] if any(it["topic"].endswith("/available") for it in sources) else [f"{key}: does not follow the box"]
    for source in sources:
        for ending, cases in AVAILABILITY.items():
            if source["topic"].endswith(ending):
                wrong += wrong_values(f"{key} available", source.get("value_template"), cases)
    return wrong
