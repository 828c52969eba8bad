#!/usr/bin/env bash
# Fetches etcd for the tests of a cluster: Debian's package, unpacked beside the project and not installed, so that no service of it
# starts. The product needs none on its own box.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=etcd
STEPS=1
. setup/steps.sh

if [ -x "$work/etcd/usr/bin/etcd" ]; then
    exit
fi
step 1 "etcd (Debian's package, unpacked in $work)"
rm -rf "$work/etcd" && mkdir -p "$work/etcd/package"
as_root apt-get update -qq >"$work/etcd.log" 2>&1 || true
# apt drops to a user of its own, who may not write here.
(cd "$work/etcd/package" && apt-get -o APT::Sandbox::User=root download -q etcd-server etcd-client) >>"$work/etcd.log" 2>&1 \
    || { tail -n 5 "$work/etcd.log" >&2; die "etcd cannot be had, see $work/etcd.log"; }
for package in "$work"/etcd/package/*.deb; do
    dpkg-deb -x "$package" "$work/etcd"
done
[ -x "$work/etcd/usr/bin/etcd" ] || die "the package has no /usr/bin/etcd"
