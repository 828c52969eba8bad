#!/usr/bin/env bash
# Installs what ocelli needs to build, to run, and for its demo and tests, on Debian 12.
# Run it as often as you like: what is there is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=setup
STEPS=6
. setup/steps.sh

install_packages() {
    local wanted=(
        build-essential nasm pkg-config protobuf-compiler libprotobuf-dev ca-certificates curl jq openssl procps python3 python3-venv
        libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
        gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-tools
        mosquitto mosquitto-clients opencv-doc systemd
    )
    command -v npm >/dev/null || wanted+=(npm)
    local missing=() name
    for name in "${wanted[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    if [ ${#missing[@]} = 0 ]; then
        step 2 "Debian packages: all there"
        return
    fi
    step 2 "Debian packages: installing ${#missing[@]} (${missing[*]})"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; die "apt-get failed, see $work/apt.log"; }
}

fetch_runtime() {
    if [ -f lib/libonnxruntime.so ] && [ -f lib/onnxruntime-LICENSE ]; then
        step 3 "ONNX Runtime: there"
        return
    fi
    step 3 "ONNX Runtime: fetching its wheel"
    make_venv
    rm -rf "$work/wheel" && mkdir -p "$work/wheel" lib
    # A wheel is a zip file; Python is not needed at run time.
    "$work/venv/bin/pip" download -q --no-deps --only-binary=:all: --require-hashes \
        -r setup/requirements-runtime.txt -d "$work/wheel" || die "the ONNX Runtime wheel cannot be had"
    "$work/venv/bin/python" -m zipfile -e "$work"/wheel/onnxruntime-*.whl "$work/wheel/x"
    # They are installed with it; the licence last, which shows that all is there.
    cp "$work/wheel/x/onnxruntime/ThirdPartyNotices.txt" lib/onnxruntime-ThirdPartyNotices.txt
    cp "$work"/wheel/x/onnxruntime/capi/libonnxruntime.so.* lib/libonnxruntime.so.part
    mv lib/libonnxruntime.so.part lib/libonnxruntime.so
    cp "$work/wheel/x/onnxruntime/LICENSE" lib/onnxruntime-LICENSE
    rm -rf "$work/wheel"
}

make_footage() {
    if [ -f testdata/vtest.h264 ] && [ -f testdata/photo.jpg ]; then
        step 4 "footage: there"
        return
    fi
    step 4 "footage: transcoding the surveillance clip to H.264"
    local data=/usr/share/doc/opencv-doc/examples/data
    if [ ! -f "$data/vtest.avi" ]; then
        # Slim images leave /usr/share/doc out when they install packages.
        (cd "$work" && apt-get download -qq opencv-doc && dpkg-deb -x opencv-doc_*.deb opencv-doc)
        data="$work/opencv-doc$data"
    fi
    mkdir -p testdata
    cp "$data/messi5.jpg" testdata/photo.jpg
    [ -f testdata/vtest.h264 ] && return
    gst-launch-1.0 -q filesrc "location=$data/vtest.avi" ! decodebin ! videoconvert ! 'video/x-raw,format=I420' \
        ! x264enc speed-preset=veryfast key-int-max=50 bframes=0 bitrate=2000 threads=1 \
        ! 'video/x-h264,stream-format=byte-stream,profile=main' ! filesink location=testdata/vtest.h264.part
    mv testdata/vtest.h264.part testdata/vtest.h264
}

install_default_detector() {
    step 5 "models: the default detector, without and with suppression in the graph"
    setup/models.sh coco-ssd coco-ssd-nms
}

install_clients() {
    if cmp -s setup/requirements-clients.txt "$work/venv/clients.txt"; then
        step 6 "AWS and MQTT clients of the tests: there"
        return
    fi
    step 6 "AWS and MQTT clients of the tests: installing boto3 and paho-mqtt"
    make_venv
    "$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-clients.txt || die "boto3 and paho-mqtt cannot be installed"
    cp setup/requirements-clients.txt "$work/venv/clients.txt"
}

check_rust() {
    command -v cargo >/dev/null || die "Rust is missing: install it with rustup, then run this again"
    step 1 "$(cargo --version)"
}

mkdir -p "$work"
check_rust
install_packages
fetch_runtime
make_footage
install_default_detector
install_clients
