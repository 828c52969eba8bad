#!/usr/bin/env bash
# Fetches HAProxy and keepalived for the tests of calls in a cluster: Debian's packages with the libraries that a slim system lacks,
# unpacked beside the project and not installed, so that no service of theirs starts. The product needs none on its own box.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=balancer
STEPS=1
. setup/steps.sh

programs=(haproxy keepalived)
libraries=(liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 libnl-3-200 libnl-genl-3-200 libnftnl11 libmnl0 libsnmp40 libpci3 libsensors5)
# The last thing that is made.
if [ -f "$work/balancer/complete" ]; then
    exit
fi
step 1 "HAProxy and keepalived (Debian's packages, unpacked in $work)"
rm -rf "$work/balancer" && mkdir -p "$work/balancer/package"
as_root apt-get update -qq >"$work/balancer.log" 2>&1 || true
# apt drops to a user of its own, who may not write here.
(cd "$work/balancer/package" && apt-get -o APT::Sandbox::User=root download -q "${programs[@]}" "${libraries[@]}") \
    >>"$work/balancer.log" 2>&1 || { tail -n 5 "$work/balancer.log" >&2; die "HAProxy cannot be had, see $work/balancer.log"; }
for package in "$work"/balancer/package/*.deb; do
    dpkg-deb -x "$package" "$work/balancer"
done
for program in "${programs[@]}"; do
    LD_LIBRARY_PATH="$work/balancer/usr/lib/$(uname -m)-linux-gnu:$work/balancer/lib/$(uname -m)-linux-gnu" \
        "$work/balancer/usr/sbin/$program" -v >>"$work/balancer.log" 2>&1 \
        || { tail -n 5 "$work/balancer.log" >&2; die "$program does not start here, see $work/balancer.log"; }
done
touch "$work/balancer/complete"
