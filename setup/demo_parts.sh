# What the demos share, sourced at the top of the repository: a home for their files, and processes that end with them. They set
# SCRIPT, their name in messages.
home=$(mktemp -d)
pids=()
finish() {
    local result=$?
    trap - EXIT INT TERM HUP
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    # The logs say why it failed.
    if [ "$result" = 0 ] || [ "$result" -ge 128 ]; then rm -rf "$home"; else echo "$SCRIPT: the logs are in $home" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '%s: %s\n' "$SCRIPT" "$1"; }

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
    say "$what did not come up within ten seconds; the end of its log:" >&2
    tail -n 5 "$log" >&2 || true
    exit 1
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets broker_port.
start_broker() {
    broker_port=$(free_port)
    printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$home/mosquitto.conf"
    "$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c "$home/mosquitto.conf" >"$home/mosquitto.log" 2>&1 &
    pids+=($!)
    wait_for "the broker" "$home/mosquitto.log" listens "$broker_port"
}

# Cameras that see the surveillance clip: their URLs are the lines of $home/camera.url.
start_cameras() { # COUNT
    target/release/examples/rtsp_camera --count "$1" --file testdata/vtest.h264 >"$home/camera.url" 2>"$home/camera.log" &
    pids+=($!)
    wait_for "the camera" "$home/camera.log" has_lines "$home/camera.url" "$1"
}

has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
