"""Home Assistant's MQTT discovery without a broker: its code is started, and given messages."""

import importlib
import logging
import tempfile
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import voluptuous as vol
from homeassistant.components.mqtt import discovery
from homeassistant.components.mqtt.const import ENTITY_PLATFORMS
from homeassistant.components.mqtt.models import DATA_MQTT, MqttData, ReceiveMessage
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

PLATFORMS = [str(platform) for platform in ENTITY_PLATFORMS]


@dataclass
class Reading:
    """What became of a message: a validated configuration a component, and why it was refused."""

    components: dict = field(default_factory=dict)
    refusals: list = field(default_factory=list)


class Warnings(logging.Handler):
    """Home Assistant says why it refuses a message in its log."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.sentences = []

    def emit(self, record):
        self.sentences.append(record.getMessage()[:400])


class Reader:
    """A Home Assistant core with nothing but the discovery of the mqtt integration."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.hass = HomeAssistant(self.directory.name)
        self.hass.data[DATA_MQTT] = MqttData(client=None, config=[])
        # All platforms count as loaded: a component is then announced at once to whoever would make its entity.
        self.hass.data[DATA_MQTT].platforms_loaded.update(PLATFORMS)
        self.receivers = {}
        self.warnings = Warnings()
        self.announced = []

    @classmethod
    async def start(cls, prefix):
        """Starts discovery; what it would subscribe to at a broker is kept instead."""
        reader = cls()
        discovery.async_subscribe_internal = reader.subscribe
        discovery.async_get_mqtt = no_integrations
        logging.getLogger("homeassistant").addHandler(reader.warnings)
        logging.getLogger("homeassistant").propagate = False
        for platform in PLATFORMS:
            signal = discovery.MQTT_DISCOVERY_NEW.format(platform, "mqtt")
            async_dispatcher_connect(reader.hass, signal, reader.taker_of(platform))
        entry = SimpleNamespace(entry_id="check", async_on_unload=lambda _: None)
        await discovery.async_start(reader.hass, prefix, entry)
        return reader

    async def stop(self):
        logging.getLogger("homeassistant").removeHandler(self.warnings)
        await self.hass.async_stop(force=True)
        self.directory.cleanup()

    def subscribe(self, _hass, topic, receive, *_arguments, **_options):
        self.receivers[topic] = receive
        return lambda: None

    def taker_of(self, platform):
        @callback
        def take(payload):
            self.announced.append((platform, payload))

        return take

    def deliver(self, topic, payload):
        """To the subscription that a broker would choose."""
        for subscription, receive in self.receivers.items():
            levels, wanted = topic.split("/"), subscription.split("/")
            if len(levels) == len(wanted) and all(w in ("+", level) for w, level in zip(wanted, levels)):
                receive(ReceiveMessage(topic, payload, 1, True, subscription, time.monotonic()))
                return True
        return False

    def read(self, topic, payload):
        """A message as it comes, and then each platform's own schema."""
        reading = Reading()
        if not self.deliver(topic, payload):
            reading.refusals.append("Home Assistant does not subscribe to its topic")
        reading.refusals += self.warnings.sentences
        if not self.announced and not reading.refusals:
            reading.refusals.append("no component came of it")
        for platform, configuration in self.announced:
            key = configuration.discovery_data["discovery_hash"][1].split(" ", 1)[1]
            module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
            try:
                # The entities are made of what the lenient schema returns; the strict one refuses what it would drop.
                module.PLATFORM_SCHEMA_MODERN(dict(configuration))
                reading.components[key] = platform, module.DISCOVERY_SCHEMA(dict(configuration))
            except vol.Invalid as error:
                reading.refusals.append(f"{platform} {key}: {error}")
        ids = [configuration.get("unique_id") for _, configuration in reading.components.values()]
        if len(set(ids)) != len(ids):
            reading.refusals.append("two entities have the same unique id")
        return reading

    def remove(self, topic):
        """Empties the topic; returns the components that Home Assistant does not take away."""
        removed = set()
        for platform, configuration in self.announced:
            discovery_hash = configuration.discovery_data["discovery_hash"]
            # The entity would have said that it is done with the announcement, and would listen to news of it.
            self.hass.data[DATA_MQTT].discovery_pending_discovered.pop(discovery_hash)
            self.listen_for_removal(discovery_hash, removed)
        self.deliver(topic, "")
        return [key for _, key in self.hass.data[DATA_MQTT].discovery_already_discovered if key not in removed]

    def listen_for_removal(self, discovery_hash, removed):
        @callback
        def take(payload):
            if not payload:
                removed.add(discovery_hash[1])

        async_dispatcher_connect(self.hass, discovery.MQTT_DISCOVERY_UPDATED.format(*discovery_hash), take)


async def no_integrations(_hass):
    """Others' integrations that listen to MQTT are not asked."""
    return {}
