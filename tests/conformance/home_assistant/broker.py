"""What a broker keeps below the discovery prefix."""

import threading

from paho.mqtt import client as paho


def retained(host, port, prefix, device, seconds):
    """Topics and payloads; waits for that of `device`, else for all that come within `seconds`."""
    found, complete = {}, threading.Event()

    def take(_client, _data, message):
        if message.payload:
            found[message.topic] = message.payload.decode()
        if device and message.topic == f"{prefix}/device/{device}/config" and message.payload:
            complete.set()

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = take
    client.on_connect = lambda *_: client.subscribe(f"{prefix}/device/+/config", 1)
    client.connect(host, port)
    client.loop_start()
    complete.wait(seconds)
    client.disconnect()
    client.loop_stop()
    mine = f"{prefix}/device/{device}/config" if device else None
    return [(topic, payload) for topic, payload in sorted(found.items()) if mine in (None, topic)]
