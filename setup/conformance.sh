#!/usr/bin/env bash
# Installs the AWS clients that `make conformance` tries beside the boto3 of the tests: older boto3, the CLI in both
# versions, the SDKs for JavaScript in both versions, Go and Rust. Nothing is written outside the repository but Debian's
# own packages.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=conformance
STEPS=7
. setup/steps.sh
clients=.setup/clients
mkdir -p "$clients"

step 1 "the relay that judges responses"
has_packages conformance || install_packages_of conformance

step 2 "boto3 of other years"
# Each in a directory of its own, which the Python of the tests takes before its own packages.
for requirements in setup/requirements-boto3-*.txt; do
    name=$(basename "$requirements" .txt)
    target=$clients/${name#requirements-}
    [ -d "$target/boto3" ] || .setup/venv/bin/pip install -q --no-deps --only-binary=:all: --require-hashes \
        --target "$target" -r "$requirements"
done

step 3 "AWS CLI 1"
[ -x "$clients/cli/bin/aws" ] || { /usr/bin/python3 -m venv "$clients/cli" \
    && "$clients/cli/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-aws-cli.txt; }

step 4 "AWS CLI 2, Go and the AWS SDK for Go 1 (Debian's packages)"
missing=()
for package in awscli golang-go golang-github-aws-aws-sdk-go-dev; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} != 0 ]; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >"$clients/apt.log" 2>&1
fi

step 5 "AWS SDK for JavaScript, 2 and 3"
# The newest of version 3 want a newer Node.js than Debian 12 has.
[ -d "$clients/node_modules/@aws-sdk/client-s3" ] && [ -d "$clients/node_modules/aws-sdk" ] \
    || npm install --silent --no-audit --no-fund --prefix "$clients" \
        @aws-sdk/client-rekognition@3.940.0 @aws-sdk/client-s3@3.940.0 aws-sdk@2.1693.0

step 6 "AWS SDK for Go: building its suite"
mkdir -p target/go_suite
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/target/go_suite/cache GOFLAGS=-p=2 \
    go build -o target/go_suite/go_suite tests/conformance/go_suite/main.go

step 7 "AWS SDK for Rust: building its suite, minutes the first time"
cargo build --quiet --locked --manifest-path tests/conformance/rust_suite/Cargo.toml --target-dir target/rust_suite
