#!/usr/bin/env bash
# Installs the ByteTrack that `make accuracy` holds the tracker against, in .setup/byte-track. Nothing is installed when it is
# there.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=byte-track
STEPS=1
. setup/steps.sh
work=.setup/byte-track

if cmp -s setup/requirements-byte-track.txt "$work/packages.txt"; then
    exit
fi
step 1 "ByteTrack"
make_venv
"$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-byte-track.txt \
    || die "ByteTrack cannot be installed: remove $work and run this again"
# Last, because a directory with this counts as complete.
cp setup/requirements-byte-track.txt "$work/packages.txt"
