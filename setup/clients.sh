#!/usr/bin/env bash
# Installs boto3 and paho-mqtt into the venv, with which tests ask the daemon as its clients do.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=clients
STEPS=1
. setup/steps.sh

mkdir -p "$work"
if cmp -s setup/requirements-clients.txt "$work/venv/clients.txt"; then
    step 1 "AWS and MQTT clients of the tests: there"
    exit
fi
step 1 "AWS and MQTT clients of the tests: installing boto3 and paho-mqtt"
make_venv
"$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-clients.txt || die "boto3 and paho-mqtt cannot be installed"
cp setup/requirements-clients.txt "$work/venv/clients.txt"
