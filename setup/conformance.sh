#!/usr/bin/env bash
# Installs the AWS clients that `make conformance` tries beside boto3: the CLI in both versions, the SDKs for
# JavaScript and Rust. Nothing is written outside the repository but Debian's own awscli package.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.setup/clients
mkdir -p "$work"
step() { printf 'conformance: [%s/4] %s\n' "$1" "$2"; }

step 1 "AWS CLI 1"
[ -x "$work/cli/bin/aws" ] || { /usr/bin/python3 -m venv "$work/cli" \
    && "$work/cli/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-aws-cli.txt; }

step 2 "AWS CLI 2 (Debian's package)"
install_package() { # PROGRAM PACKAGE
    local sudo
    [ -z "$(type -P "$1")" ] || return 0
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >"$work/apt.log" 2>&1
}
install_package /usr/bin/aws awscli

step 3 "AWS SDK for JavaScript"
# The newest ones want a newer Node.js than Debian 12 has.
install_package npm npm
[ -d "$work/node_modules/@aws-sdk/client-rekognition" ] \
    || npm install --silent --no-audit --no-fund --prefix "$work" @aws-sdk/client-rekognition@3.940.0

step 4 "AWS SDK for Rust: building its suite, minutes the first time"
cargo build --quiet --locked --manifest-path tests/conformance/rust_suite/Cargo.toml --target-dir target/rust_suite
