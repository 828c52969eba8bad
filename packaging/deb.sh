#!/usr/bin/env bash
# Builds ocelli_VERSION_ARCHITECTURE.deb and its ocelli-dbgsym in OUT. See `make deb`.
#   BINARY=target/release/ocelli OUT=target/debian VERSION=0.1.0 COMPRESSION=xz packaging/deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
. packaging/version.sh

: "${BINARY:=target/release/ocelli}" "${OUT:=target/debian}" "${COMPRESSION:=xz}" "${ARCHITECTURE:=$(dpkg --print-architecture)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/ocelli symbols=$work/ocelli-dbgsym

shared_libraries() { # the packages that have what the binary and ONNX Runtime link
    mkdir -p "$work/debian" "$stage/DEBIAN"
    printf 'Source: ocelli\n\nPackage: ocelli\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps --warnings=1 -O "$stage/usr/bin/ocelli" "$stage/usr/lib/ocelli/libonnxruntime.so") \
        | sed -n 's/^shlibs:Depends=//p'
}

control() { # TEMPLATE STAGE
    mkdir -p "$2/DEBIAN"
    sed -e "s|@VERSION@|$VERSION|" -e "s|@ARCHITECTURE@|$ARCHITECTURE|" -e "s|@MAINTAINER@|$MAINTAINER|" \
        -e "s|@SIZE@|$(du -sk --apparent-size --exclude=DEBIAN "$2" | cut -f1)|" -e "s|@LIBRARIES@|$libraries|" \
        -e "s|@BUILD_ID@|$build_id|" "$1" >"$2/DEBIAN/control"
    (cd "$2" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

pack() { # STAGE
    dpkg-deb --root-owner-group "-Z$COMPRESSION" --build "$1" "$OUT" >/dev/null
}

DESTDIR=$stage PREFIX=/usr MODELS=coco-ssd BINARY=$BINARY packaging/install.sh
libraries=$(shared_libraries)
build_id=$(readelf -n "$BINARY" | sed -n 's/.*Build ID: //p')
[ -n "$libraries" ] && [ -n "$build_id" ] || { echo "deb: $BINARY names no library or has no build id" >&2; exit 1; }
control packaging/control "$stage"
install -m 755 -t "$stage/DEBIAN" packaging/preinst packaging/postinst packaging/prerm packaging/postrm

debug=$symbols/usr/lib/debug/.build-id/${build_id:0:2}/${build_id:2}.debug
mkdir -p "$(dirname "$debug")" "$symbols/usr/share/doc"
"${OBJCOPY:-objcopy}" --only-keep-debug --compress-debug-sections "$BINARY" "$debug"
chmod 644 "$debug"
ln -s ocelli "$symbols/usr/share/doc/ocelli-dbgsym"
control packaging/control-dbgsym "$symbols"

mkdir -p "$OUT"
pack "$stage"
pack "$symbols"
ls -1sh "$OUT"/ocelli*_"${VERSION}_$ARCHITECTURE".deb
