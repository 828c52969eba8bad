#!/usr/bin/env bash
# The demo: a real camera, a real broker and the daemon, on loopback. Ends everything that it started.
#   CAMERA=rtsp://...  your own camera instead of the surveillance clip
#   DURATION=30        end by itself; the last line is a JSON report
set -euo pipefail
cd "$(dirname "$0")/.."

home=$(mktemp -d)
pids=()
finish() {
    local result=$?
    trap - EXIT INT TERM HUP
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    # The logs say why it failed.
    if [ "$result" = 0 ] || [ "$result" -ge 128 ]; then rm -rf "$home"; else echo "demo: the logs are in $home" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() { # WHAT LOG COMMAND...
    local what=$1 log=$2 tries
    shift 2
    for tries in $(seq 100); do
        "$@" && return
        sleep 0.1
    done
    echo "demo: $what did not come up within ten seconds; the end of its log:" >&2
    tail -n 5 "$log" >&2 || true
    exit 1
}

# The link of the page, once the daemon answers. It stands above the screen that the daemon draws anew each second: where that has
# begun before, room is made for it.
print_link() {
    local link tries
    for tries in $(seq 300); do
        if link=$(target/release/ocelli page --config "$home/ocelli.toml" 2>/dev/null); then
            printf '\ndemo: the page, with video and boxes; the link opens it once, within five minutes:\n    %s\n\n' "$link"
            if [ "$tries" -gt 7 ] && [ -t 1 ]; then printf '\n%.0s' $(seq 8); fi
            return
        fi
        sleep 0.1
    done
}

broker_port=$(free_port)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$home/mosquitto.conf"
"$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c "$home/mosquitto.conf" >"$home/mosquitto.log" 2>&1 &
pids+=($!)
wait_for "the broker" "$home/mosquitto.log" bash -c "exec 2>/dev/null 3<>/dev/tcp/127.0.0.1/$broker_port"

camera=${CAMERA:-}
if [ -z "$camera" ]; then
    target/release/examples/rtsp_camera --file testdata/vtest.h264 >"$home/camera.url" 2>"$home/camera.log" &
    pids+=($!)
    wait_for "the camera" "$home/camera.log" test -s "$home/camera.url"
    camera=$(head -n 1 "$home/camera.url")
fi

# Its state goes with it: a model that is stopped in one demo runs in the next.
cat >"$home/ocelli.toml" <<SETTINGS
state_directory = "$home/state"
[units]
cache_directory = "target/demo-cache"
[http]
port = $(free_port)
local_api = "token"
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
echo "    target/release/ocelli status --config $home/ocelli.toml"
arguments=(run --config "$home/ocelli.toml" --live --log-file "$home/ocelli.log")
if [ -n "${DURATION:-}" ]; then
    arguments+=(--duration "$DURATION" --expect-label person)
else
    echo "demo: Ctrl-C ends it"
fi
print_link &
pids+=($!)
# Not in the background: Ctrl-C reaches it, and it drains before the others are ended.
target/release/ocelli "${arguments[@]}"
