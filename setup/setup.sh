#!/usr/bin/env bash
# Installs what ocelli needs to build, to run, and for its demo, on Debian 12. What tests need beside it, setup/clients.sh,
# setup/layouts.sh and setup/browser.sh install.
# Run it as often as you like: what is there is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=setup
STEPS=5
. setup/steps.sh

install_packages() {
    local wanted=(
        build-essential nasm pkg-config protobuf-compiler libprotobuf-dev ca-certificates curl jq openssl procps python3 python3-venv
        libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
        gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-tools
        mosquitto mosquitto-clients opencv-doc systemd
    )
    local missing=() name
    for name in "${wanted[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    if [ ${#missing[@]} = 0 ]; then
        step 2 "Debian packages: all there"
        return
    fi
    step 2 "Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    install_by_apt "$work/apt.log" "${missing[@]}" || die "apt-get failed, see $work/apt.log"
    # The tests and the demo start brokers of their own. Nobody asked for one that is there after each boot.
    case " ${missing[*]} " in *" mosquitto "*) stop_service mosquitto ;; esac
}

stop_service() {
    [ ! -d /run/systemd/system ] || as_root systemctl --quiet stop "$1"
    as_root systemctl --quiet disable "$1" 2>/dev/null
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
