"""Messages with one mistake each: what Home Assistant must refuse, or read otherwise than it is meant."""


def edit(change):
    """A mistake in the message; `change` is given its JSON."""

    def spoil(topic, message):
        change(message)
        return topic, message

    return spoil


def in_component(platform, change):
    """A mistake in the first component of a platform."""

    def change_one(message):
        change(next(it for it in message["cmps"].values() if it["p"] == platform))

    return edit(change_one)


BROKEN = {
    "no JSON is": lambda topic, _: (topic, "{"),
    "the topic has a dot": lambda topic, message: (topic.replace("/device/", "/device/a."), message),
    "the topic lacks `config`": lambda topic, message: (topic.removesuffix("/config"), message),
    "the origin is missing": edit(lambda it: it.pop("o")),
    "the origin has no name": edit(lambda it: it["o"].pop("name")),
    "the device is missing": edit(lambda it: it.pop("dev")),
    "the device has no identifier": edit(lambda it: it["dev"].pop("identifiers")),
    "the device has an unknown key": edit(lambda it: it["dev"].update(colour="red")),
    "the components are missing": edit(lambda it: it.pop("cmps")),
    "availability is given twice": edit(lambda it: it.update(availability_topic="a")),
    "the mode of availability is unknown": edit(lambda it: it.update(availability_mode="some")),
    "an unknown option is": edit(lambda it: it.update(volume=11)),
    "a platform is unknown": in_component("sensor", lambda it: it.update(p="thermometre")),
    "a platform is missing": in_component("sensor", lambda it: it.pop("p")),
    "a unique id is missing": in_component("sensor", lambda it: it.pop("unique_id")),
    "a state topic is missing": in_component("sensor", lambda it: it.pop("state_topic")),
    "a topic has a stray wildcard": in_component("sensor", lambda it: it.update(state_topic="a/#/b")),
    "a state class is unknown": in_component("sensor", lambda it: it.update(state_class="guess")),
    "a device class is unknown": in_component("binary_sensor", lambda it: it.update(device_class="eye")),
    "a template is no template": in_component("binary_sensor", lambda it: it.update(value_template="{{ 'ON' if }}")),
    "a template says always": in_component("binary_sensor", lambda it: it.update(value_template="ON")),
    "a key is misspelt": in_component("binary_sensor", lambda it: it.update(devise_class="occupancy")),
    "an image has no topic": in_component("image", lambda it: it.pop("image_topic")),
    "an event has no types": in_component("event", lambda it: it.pop("event_types")),
    "an event lacks a type": in_component("event", lambda it: it["event_types"].remove("ended")),
    "stopped is not known": edit(lambda it: it["availability"][0].pop("value_template")),
    "two entities share an id": edit(lambda it: [component.update(unique_id="x") for component in it["cmps"].values()]),
}
