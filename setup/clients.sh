#!/usr/bin/env bash
# Installs boto3 and paho-mqtt into the venv, with which tests ask the daemon as its clients do.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=clients
STEPS=1
. setup/steps.sh

mkdir -p "$work"
if has_packages clients; then
    step 1 "AWS and MQTT clients of the tests: there"
    exit
fi
step 1 "AWS and MQTT clients of the tests: installing boto3 and paho-mqtt"
install_packages_of clients
