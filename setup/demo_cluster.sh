#!/usr/bin/env bash
# The demo of a cluster: three boxes on this machine share six cameras. Kill one, and see its cameras move. Ends everything that it
# started. One member of etcd is enough here; a site has three, on three machines.
#   DURATION=60        kill a box after a third of these seconds, and end by itself: with 0 if each camera has an owner that lives
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=demo-cluster
. setup/demo_parts.sh

CAMERAS=6
BOXES=(box-a box-b box-c)
# A box that was killed is started again after so many seconds, as systemd would.
AWAY=20

# What an operator types: it asks etcd, whether that box lives or not.
ocelli() { target/release/ocelli "$@" --config "$home/${BOXES[0]}.toml"; }

start_box() { # NAME
    target/release/ocelli run --config "$home/$1.toml" --log-file "$home/$1.log" >/dev/null 2>&1 &
    box_pid[$1]=$!
    pids+=($!)
}

lives() { kill -0 "${box_pid[$1]}" 2>/dev/null; }

has_all_boxes() { [ "$(ocelli cluster status --json 2>/dev/null | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["boxes"]))')" = ${#BOXES[@]} ] 2>/dev/null; }

# Names the cameras that no living box looks at.
without_owner() {
    ocelli cluster status --json | python3 -c '
import json, sys
cameras = json.load(sys.stdin)["cameras"]
print(*(name for name, camera in cameras.items() if camera["owner"] not in sys.argv[1:]))' "$@"
}

start_broker
start_cameras $CAMERAS
etcd_port=$(free_port) peer_port=$(free_port)
.setup/etcd/usr/bin/etcd --name one --data-dir "$home/etcd" --heartbeat-interval 50 --election-timeout 500 \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "one=http://127.0.0.1:$peer_port" >"$home/etcd.log" 2>&1 &
pids+=($!)
wait_for "etcd" "$home/etcd.log" listens "$etcd_port"

declare -A box_pid
for name in "${BOXES[@]}"; do
    cat >"$home/$name.toml" <<SETTINGS
box_id = "$name"
state_directory = "$home/$name"
[units]
cache_directory = "target/demo-cache"
[[models]]
name = "coco-ssd"
min_inference_units = 1
max_inference_units = 1
[http]
port = $(free_port)
local_api = "token"
[mqtt]
port = $broker_port
[cluster]
name = "demo"
endpoints = ["http://127.0.0.1:$etcd_port"]
SETTINGS
    chmod 600 "$home/$name.toml"
    start_box "$name"
done
wait_for "the cluster" "$home/${BOXES[0]}.log" has_all_boxes
number=0
while read -r url; do
    ocelli cluster cameras add "cam$number" "$url" --fps 2 >/dev/null
    number=$((number + 1))
done <"$home/camera.url"

say "three boxes share $CAMERAS cameras; see what they publish from another terminal:"
echo "    mosquitto_sub -p $broker_port -t 'ocelli/demo/owner/#' -v"
begun=$SECONDS killed=''
declare -A dead_since
while [ -z "${DURATION:-}" ] || [ $((SECONDS - begun)) -lt "$DURATION" ]; do
    living=()
    for name in "${BOXES[@]}"; do
        if lives "$name"; then
            living+=("$name")
        elif [ -z "${dead_since[$name]:-}" ]; then
            dead_since[$name]=$SECONDS
        elif [ $((SECONDS - dead_since[$name])) -ge $AWAY ]; then
            unset "dead_since[$name]"
            start_box "$name"
        fi
    done
    [ ${#living[@]} != 0 ] || { say "no box is left"; exit 1; }
    if [ -t 1 ]; then printf '\033[H\033[2J'; fi
    ocelli cluster status || true
    echo
    for name in "${BOXES[@]}"; do
        if lives "$name"; then echo "$name lives; kill it from another terminal: kill -9 ${box_pid[$name]}"
        else echo "$name is dead; it is started again after $AWAY s"; fi
    done
    if [ -n "${DURATION:-}" ] && [ -z "$killed" ] && [ $((SECONDS - begun)) -ge $((DURATION / 3)) ]; then
        killed=${BOXES[1]}
        say "$killed is killed"
        kill -9 "${box_pid[$killed]}"
    fi
    sleep 1
done

without=$(without_owner "${living[@]}")
[ -z "$without" ] || { say "no box that lives looks at: $without"; exit 1; }
say "each of the $CAMERAS cameras has a box that looks at it"
