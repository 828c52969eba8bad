#!/usr/bin/env bash
# The demo: a real camera, a real broker and the daemon, on loopback. Ends everything that it started.
#   CAMERA=rtsp://...  your own camera instead of the surveillance clip
#   DURATION=30        end by itself; the last line is a JSON report
set -euo pipefail
cd "$(dirname "$0")/.."

home=$(mktemp -d)
pids=()
finish() {
    trap - EXIT INT TERM HUP
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() { # WHAT COMMAND...
    local what=$1 tries
    shift
    for tries in $(seq 100); do
        "$@" && return
        sleep 0.1
    done
    echo "demo: $what did not come up ($tries tries); see $home" >&2
    exit 1
}

broker_port=$(free_port)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$home/mosquitto.conf"
"$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c "$home/mosquitto.conf" >"$home/mosquitto.log" 2>&1 &
pids+=($!)
wait_for "the broker" bash -c "exec 3<>/dev/tcp/127.0.0.1/$broker_port" 2>/dev/null

camera=${CAMERA:-}
if [ -z "$camera" ]; then
    target/release/examples/rtsp_camera --file testdata/vtest.h264 >"$home/camera.url" 2>"$home/camera.log" &
    pids+=($!)
    wait_for "the camera" test -s "$home/camera.url"
    camera=$(head -n 1 "$home/camera.url")
fi

cat >"$home/ocelli.toml" <<SETTINGS
[http]
port = 0
[mqtt]
port = $broker_port
[mqtt.home_assistant]
enabled = true
[[cameras]]
id = "demo"
url = "$camera"
fps = 10.0
SETTINGS
chmod 600 "$home/ocelli.toml"

echo "demo: the camera is ${camera/:\/\/*@/://***@}"
echo "demo: see the same from another terminal:"
echo "    mosquitto_sub -p $broker_port -t 'ocelli/#' -v"
arguments=(run --config "$home/ocelli.toml" --live --log-file "$home/ocelli.log")
if [ -n "${DURATION:-}" ]; then
    arguments+=(--duration "$DURATION" --expect-label person)
else
    echo "demo: Ctrl-C ends it"
fi
# Not in the background: Ctrl-C reaches it, and it drains before the others are ended.
target/release/ocelli "${arguments[@]}"
