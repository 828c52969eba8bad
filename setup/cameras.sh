#!/usr/bin/env bash
# Installs the RTSP servers that `make cameras` tries beside our own: VLC, aio-rtsp-toolkit and rtsp-rs. Nothing is
# written outside the repository but Debian's own packages of VLC.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.setup/cameras
mkdir -p "$work"
step() { printf 'cameras: [%s/3] %s\n' "$1" "$2"; }
die() { printf 'cameras: %s\n' "$1" >&2; exit 1; }

step 1 "VLC (Debian's packages)"
if [ ! -x /usr/bin/cvlc ] || ! dpkg-query -W -f '${db:Status-Status}' vlc-plugin-base 2>/dev/null | grep -qx installed; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        vlc-bin vlc-plugin-base; } >"$work/apt.log" 2>&1 \
        || { tail -n 5 "$work/apt.log" >&2; die "VLC cannot be installed, see $work/apt.log"; }
fi

step 2 "aio-rtsp-toolkit"
if ! cmp -s setup/requirements-cameras.txt "$work/packages.txt"; then
    [ -x "$work/bin/pip" ] || /usr/bin/python3 -m venv "$work" || die "python3 -m venv failed: \`make setup\` installs it"
    "$work/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-cameras.txt \
        || die "aio-rtsp-toolkit cannot be installed"
    cp setup/requirements-cameras.txt "$work/packages.txt"
fi

step 3 "rtsp-rs: building a camera of it, half a minute the first time"
cargo build --quiet --locked --manifest-path tests/conformance/rtsp_rs_camera/Cargo.toml --target-dir target/rtsp_rs_camera \
    || die "the camera of rtsp-rs cannot be built"
