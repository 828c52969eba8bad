#!/usr/bin/env bash
# The demo: a real camera, a real broker and the daemon, on loopback. Ends everything that it started.
#   CAMERA=rtsp://...  your own camera instead of the surveillance clip
#   DURATION=30        end by itself; the last line is a JSON report
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=demo
. setup/demo_parts.sh

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

start_broker

camera=${CAMERA:-}
if [ -z "$camera" ]; then
    start_cameras 1
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

say "the camera is ${camera/:\/\/*@/://***@}"
say "see the same from another terminal:"
echo "    mosquitto_sub -p $broker_port -t 'ocelli/#' -v"
echo "    target/release/ocelli status --config $home/ocelli.toml"
arguments=(run --config "$home/ocelli.toml" --live --log-file "$home/ocelli.log")
if [ -n "${DURATION:-}" ]; then
    arguments+=(--duration "$DURATION" --expect-label person)
else
    say "Ctrl-C ends it"
fi
print_link &
pids+=($!)
# Not in the background: Ctrl-C reaches it, and it drains before the others are ended.
target/release/ocelli "${arguments[@]}"
