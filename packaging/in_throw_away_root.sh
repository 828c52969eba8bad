#!/usr/bin/env bash
# Runs packaging/lifecycle.sh in a copy of this machine's root that lives in memory (overlayfs in a mount namespace of its own)
# and is gone when it ends. Needs root, or sudo. Prints the rows of lifecycle.sh.
#   packaging/in_throw_away_root.sh BEFORE.deb AFTER.deb
set -euo pipefail
[ "$(id -u)" = 0 ] || exec sudo -n "$0" "$@"
[ -n "${THROW_AWAY:-}" ] || THROW_AWAY=1 exec unshare --mount --propagation private "$0" "$(realpath "$1")" "$(realpath "$2")"

scripts=$(realpath "$(dirname "$0")")
memory=$(mktemp -d)
mount -t tmpfs tmpfs "$memory"
trap 'cd / && umount -l "$memory" && rmdir "$memory"' EXIT
mkdir "$memory"/{changes,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$memory/changes,workdir=$memory/work" "$memory/root"
cd "$memory/root"
# What an earlier `make install` may have left on this machine.
rm -rf etc/ocelli var/lib/ocelli var/cache/ocelli usr/lib/ocelli usr/share/ocelli usr/bin/ocelli usr/lib/systemd/system/ocelli.service
sed -i '/^ocelli:/d' etc/passwd etc/group etc/shadow etc/gshadow
for place in proc sys dev; do mount --rbind "/$place" "$place"; done
for place in run tmp; do mount -t tmpfs tmpfs "$place"; done
mkdir debs
cp "$1" debs/before.deb
cp "$2" debs/after.deb
cp "$scripts/lifecycle.sh" debs/
chroot . /debs/lifecycle.sh files /debs/before.deb /debs/after.deb
