#!/usr/bin/env bash
# Fetches what the tests of a cluster need: etcd, and libfaketime for a clock that jumps. They are Debian's packages, unpacked beside the
# project and not installed, so that no service starts. The product needs none of them on its own box.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=etcd
STEPS=1
. setup/steps.sh

is_complete() {
    [ -x "$work/etcd/usr/bin/etcd" ] && compgen -G "$work/etcd/usr/lib/*/faketime/libfaketimeMT.so.1" >/dev/null
}

if is_complete; then
    exit
fi
step 1 "etcd and libfaketime (Debian's packages, unpacked in $work)"
rm -rf "$work/etcd" && mkdir -p "$work/etcd/package"
as_root apt-get update -qq >"$work/etcd.log" 2>&1 || true
# apt drops to a user of its own, who may not write here.
(cd "$work/etcd/package" && apt-get -o APT::Sandbox::User=root download -q etcd-server etcd-client libfaketime) >>"$work/etcd.log" 2>&1 \
    || { tail -n 5 "$work/etcd.log" >&2; die "etcd cannot be had, see $work/etcd.log"; }
for package in "$work"/etcd/package/*.deb; do
    dpkg-deb -x "$package" "$work/etcd"
done
is_complete || die "the packages lack /usr/bin/etcd or libfaketimeMT.so.1"
