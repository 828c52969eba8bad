#!/usr/bin/env bash
# Installs what packaging/files lists below DESTDIR (empty: this box). `make install` and `make deb` call it.
#   BINARY=target/release/ocelli DESTDIR= PREFIX=/usr MODELS="coco-ssd" packaging/install.sh
# Without MODELS, every model that is there is installed. GENERATOR writes man pages and completions: BINARY itself, or where
# that is of another architecture one of this.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

die() { printf 'install: %s\n' "$1" >&2; exit 1; }

: "${BINARY:=target/release/ocelli}" "${GENERATOR:=$BINARY}" "${DESTDIR:=}" "${PREFIX:=/usr}"
[ -x "$BINARY" ] || die "$BINARY is missing: run \`make build\` first, as yourself"
if [ -z "${MODELS:-}" ]; then
    MODELS=$(for model in models/*/model.onnx; do [ ! -f "$model" ] || basename "$(dirname "$model")"; done)
fi
[ -n "$MODELS" ] || die "no model is there: run \`make setup\` first"
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT

generate() {
    # The symbols stay in BINARY, by whose build id a debugger finds them.
    "${STRIP:-strip}" --strip-all --remove-section=.comment -o "$generated/ocelli" "$BINARY"
    mkdir "$generated/man"
    "$GENERATOR" man-pages "$generated/man"
    gzip -9n "$generated"/man/*
    for shell in bash zsh fish; do "$GENERATOR" completions "$shell" >"$generated/completions.$shell"; done
    sed "s|=/usr/bin/|=$PREFIX/bin/|" systemd/ocelli.service >"$generated/ocelli.service"
    sed -e 's|^state_directory = .*|state_directory = "/var/lib/ocelli"|' \
        -e "s|^models_directory = .*|models_directory = \"$PREFIX/share/ocelli/models\"|" \
        -e "s|^runtime_library = .*|runtime_library = \"$PREFIX/lib/ocelli/libonnxruntime.so\"|" \
        -e 's|^cache_directory = .*|cache_directory = "/var/cache/ocelli/models"|' \
        configs/ocelli.toml >"$generated/ocelli.toml"
    gzip -9nc CHANGELOG.md >"$generated/CHANGELOG.md.gz"
    packaging/debian-changelog.sh | gzip -9n >"$generated/changelog.gz"
}

install_line() { # MODE PATH SOURCE
    local path=$DESTDIR${2/#%P/$PREFIX} source=${3/#%G/$generated}
    case $1:$path in
        link:*) mkdir -p "$(dirname "$path")" && ln -sfn "$source" "$path" ;;
        *:*/) mkdir -p "$path" && find "$source" -maxdepth 1 -type f -exec install -m "$1" -t "$path" {} + ;;
        *) install -D -m "$1" "$source" "$path" ;;
    esac
}

generate
while read -r mode path source; do
    case $mode in '' | '#'*) continue ;; esac
    case $path in
        *%M*) for model in $MODELS; do install_line "$mode" "${path//%M/$model}" "${source//%M/$model}"; done ;;
        *) install_line "$mode" "$path" "$source" ;;
    esac
done <packaging/files
# On this box, what the package does after its files are there.
[ -n "$DESTDIR" ] || OCELLI_PREFIX=$PREFIX packaging/postinst configure
