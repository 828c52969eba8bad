#!/usr/bin/env bash
# Installs the browser of the tests, in which `make test` opens the page and those of an attacker: Debian's Chromium. The product
# needs none.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=browser
STEPS=1
. setup/steps.sh

if command -v chromium >/dev/null; then
    exit
fi
step 1 "Chromium (Debian's package, a minute)"
mkdir -p "$work"
{ as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium; } >"$work/browser.log" 2>&1 \
    || { tail -n 5 "$work/browser.log" >&2; die "Chromium cannot be installed, see $work/browser.log"; }
