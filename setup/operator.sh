#!/usr/bin/env bash
# Installs what `make operator` needs beside the set-up: Debian's judge of packages, a maker of root file systems, containers,
# what reads man pages and completions, and Prometheus' tool alone (19 MB).
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/steps.sh
SCRIPT=operator

wanted=(dpkg-dev lintian mmdebstrap systemd-container mandoc zsh fish)
missing=()
for name in "${wanted[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
done
install_promtool() { # the package brings a server, which nothing here needs
    [ ! -x "$work/promtool" ] || return 0
    local place
    place=$(mktemp -d)
    (cd "$place" && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .) || die "the package prometheus cannot be had"
    cp "$place/usr/bin/promtool" "$work/promtool"
    rm -rf "$place"
}

mkdir -p "$work"
as_root apt-get update -qq
[ ${#missing[@]} = 0 ] || echo "operator: installing ${missing[*]}"
[ ${#missing[@]} = 0 ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$work/apt-operator.log" 2>&1 \
    || { tail -n 20 "$work/apt-operator.log" >&2; die "apt-get failed, see $work/apt-operator.log"; }
install_promtool
