#!/usr/bin/env bash
# Makes what `make test` and `make accuracy` look through beside the product's models: the default detector with the
# inputs and outputs of other exports, in testdata/layouts/. Made again when its script changes.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=layouts
STEPS=1
. setup/steps.sh
target=testdata/layouts

if cmp -s tools/relayout.py "$target/made-by.py"; then
    exit
fi
step 1 "the default detector in the layouts of other exports"
make_venv
"$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-model.txt || die "numpy and onnx cannot be installed"
rm -rf "$target"
"$work/venv/bin/python" tools/relayout.py models/coco-ssd/model.onnx models/coco-ssd-nms/model.onnx "$target" \
    || die "the layouts cannot be made: remove $work/venv and run this again"
# Last, because a directory with this counts as complete.
cp tools/relayout.py "$target/made-by.py"
