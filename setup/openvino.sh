#!/usr/bin/env bash
# Installs a build of ONNX Runtime with OpenVINO beside the one of `make setup`, for x86-64 alone: 84 MB to fetch, 133 MB in
# lib/openvino. Run it as often as you like: what is there is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=openvino
STEPS=2
. setup/steps.sh

# What computes on the box's cores. The plugins for GPUs and NPUs of the wheel are left there.
libraries=(
    libonnxruntime_providers_shared.so libonnxruntime_providers_openvino.so libopenvino.so.2541
    libopenvino_intel_cpu_plugin.so libopenvino_onnx_frontend.so.2541 libtbb.so.12
)

[ "$(uname -m)" = x86_64 ] || die "there is no wheel of OpenVINO for $(uname -m)"
if [ -f lib/openvino/onnxruntime-LICENSE ]; then
    step 2 "ONNX Runtime with OpenVINO: there"
    exit
fi
step 1 "ONNX Runtime with OpenVINO: fetching its wheel, 84 MB"
make_venv
rm -rf "$work/openvino" && mkdir -p "$work/openvino" lib/openvino
"$work/venv/bin/pip" download -q --no-deps --only-binary=:all: --require-hashes \
    -r setup/requirements-openvino.txt -d "$work/openvino" || die "the wheel of OpenVINO cannot be had"
"$work/venv/bin/python" -m zipfile -e "$work"/openvino/onnxruntime_openvino-*.whl "$work/openvino/x"

step 2 "its libraries: lib/openvino, 133 MB"
from=$work/openvino/x/onnxruntime
for library in "${libraries[@]}"; do cp "$from/capi/$library" lib/openvino/; done
cp "$from"/capi/libonnxruntime.so.1.* lib/openvino/libonnxruntime.so
cp "$from/ThirdPartyNotices.txt" lib/openvino/onnxruntime-ThirdPartyNotices.txt
# Last: it shows that all is there.
cp "$from/LICENSE" lib/openvino/onnxruntime-LICENSE
rm -rf "$work/openvino"
echo 'openvino: in the settings: [units] runtime_libraries = { openvino = "lib/openvino/libonnxruntime.so" }'
