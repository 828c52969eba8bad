#!/usr/bin/env bash
# Installs what the checks of payloads use: the part of Home Assistant that reads discovery messages, paho-mqtt and
# fastjsonschema.
#   .setup/home-assistant/python tests/conformance/home_assistant_check.py
#   .setup/home-assistant/python tests/conformance/paho_check.py --help
# Home Assistant needs a newer Python than Debian 12 has. Debian 13's is unpacked beside the system's, with the libraries
# it needs; nothing is installed outside the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/.setup/home-assistant
mkdir -p "$work"
step() { printf 'home assistant: [%s/2] %s\n' "$1" "$2"; }

# Packages of Debian 13, verified by the keys that this Debian trusts, by the machine's own sources with the release's
# name changed.
unpack_python() {
    local apt=$work/apt release sources
    . /etc/os-release
    release=$VERSION_CODENAME
    rm -rf "$apt" "$work/root"
    mkdir -p "$apt"/{sources,lists/partial,archives/partial} "$work/root"
    touch "$apt/status"
    for sources in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        [ ! -s "$sources" ] || sed "s/\b$release/trixie/g" "$sources" >"$apt/sources/${sources##*/}"
    done
    [ ! -e "$apt/sources/sources.list" ] || mv "$apt/sources/sources.list" "$apt/sources/main.list"
    # An empty list of what is installed makes apt fetch the libraries too.
    local options=(-qq -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$apt/sources"
        -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache::archives=$apt/archives"
        -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o "Debug::NoLocking=1" -o "APT::Sandbox::User=$(id -un)")
    apt-get "${options[@]}" update
    apt-get "${options[@]}" install -y --no-install-recommends --download-only python3.13 >"$apt/log" 2>&1 \
        || { cat "$apt/log" >&2; exit 1; }
    local package
    for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
    rm -rf "$apt"
}

step 1 "Python 3.13, 15 MB"
if [ ! -x "$work/python" ]; then
    unpack_python
    loader=$(find "$work/root" -name 'ld-linux-*.so.?' -type f -print -quit)
    # Its own loader and C library: those of Debian 12 are too old for it.
    cat >"$work/python.part" <<WRAPPER
#!/bin/sh
PYTHONHOME=$work/root/usr PYTHONPATH=$work/packages PYTHONDONTWRITEBYTECODE=1 exec $loader --argv0 "\$0" \\
    --library-path ${loader%/*} $work/root/usr/bin/python3.13 "\$@"
WRAPPER
    chmod +x "$work/python.part"
    mv "$work/python.part" "$work/python"
fi

step 2 "Home Assistant, paho-mqtt and fastjsonschema"
if ! cmp -s setup/requirements-home-assistant.txt "$work/packages.txt"; then
    rm -rf "$work/packages"
    [ -x "$work/pip/bin/pip" ] || /usr/bin/python3 -m venv "$work/pip"
    # Debian 12's pip picks wheels for the other Python, and then compares what they require with its own.
    "$work/pip/bin/pip" install -q --target "$work/packages" --python-version 3.13.5 --ignore-requires-python \
        --only-binary=:all: --no-deps --require-hashes -r setup/requirements-home-assistant.txt
    cp setup/requirements-home-assistant.txt "$work/packages.txt"
fi
"$work/python" -c 'import fastjsonschema, homeassistant.components.mqtt.discovery, paho.mqtt.client'
