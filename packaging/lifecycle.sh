#!/usr/bin/env bash
# What an operator does with the package, inside a root that may be thrown away: install, change, upgrade, roll back, remove, purge.
#   packaging/lifecycle.sh files|booted BEFORE.deb AFTER.deb
# files: a chroot without systemd, whose tools are replaced by ones that note what is asked of them. booted: systemd runs, and
# so does the service; the box is rebooted on the way, after which this is run again. Prints a row a step: name, value, bar,
# separated by tabs; a step holds when both are the same.
set -euo pipefail
mode=$1 before=$2 after=$3
settings=/etc/ocelli/ocelli.toml
asked_to_restart="systemctl --system daemon-reload;deb-systemd-invoke try-restart ocelli.service;"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

row() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
yes_if() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
install_package() { dpkg --install "$1" >/debs/dpkg.log 2>&1 || { cat /debs/dpkg.log >&2; exit 1; }; }
asked() { tr '\n' ';' </tmp/asked && : >/tmp/asked; }

# Every path where a package has something, but for what the kernel, dpkg, systemd and the user database keep.
all_files() {
    find /boot /etc /home /opt /srv /usr /var \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache/ldconfig -o -path /var/tmp \
        -o -path /var/lib/systemd \) -prune -o -print | grep -vE '^/etc/(passwd|group|shadow|gshadow)-$|^/etc/.pwd.lock$' | LC_ALL=C sort
}

pretend_systemd() {
    mkdir -p /run/systemd/system /usr/local/sbin
    : >/tmp/asked
    for tool in systemctl deb-systemd-invoke; do
        printf '#!/bin/sh\necho %s "$@" >>/tmp/asked\n' "$tool" >/usr/local/sbin/$tool
        chmod 755 /usr/local/sbin/$tool
    done
}

installed() {
    row "user" "$(yes_if getent passwd ocelli)" yes
    row "settings directory" "$(stat -c '%a %U:%G' /etc/ocelli)" "750 root:ocelli"
    row "settings" "$(stat -c '%a %U:%G' $settings)" "640 root:ocelli"
    row "paths in the settings" "$(grep -cE '^(state_directory|models_directory|runtime_library|cache_directory) = "/(usr|var)/[a-z/]*ocelli' $settings)" 4
    row "the next step is told" "$(grep -c 'systemctl enable --now ocelli' /debs/dpkg.log)" 1
    row "the program reads the settings" "$(yes_if ocelli config show)" yes
    local seen
    # Not into the service's cache, which would be root's before the service is first started.
    seen=$(cd /tmp && OCELLI_UNITS__CACHE_DIRECTORY=/tmp/cache ocelli detect --json /usr/share/ocelli/models/coco-ssd/canary.jpg 2>/tmp/detect.log | grep -c '"person"' || true)
    row "a unit sees people in a picture" "$([ "$seen" -gt 0 ] && echo yes || tail -n 2 /tmp/detect.log)" yes
    row "man page" "$(zcat /usr/share/man/man1/ocelli.1.gz | grep -c '^\.TH ocelli 1')" 1
}

change_by_hand() {
    echo '# mine' >>$settings
    mkdir -p /var/lib/ocelli && echo kept >/var/lib/ocelli/mine
    # The version before did not have this setting.
    sed -i '/^keep_hours = /d' /usr/share/ocelli/ocelli.toml
}

upgraded() {
    row "upgraded" "$(dpkg-query -W -f '${Version}' ocelli)" "$(dpkg-deb -f "$after" Version)"
    row "settings kept on upgrade" "$(tail -n 1 $settings)" "# mine"
    row "state kept on upgrade" "$(cat /var/lib/ocelli/mine)" kept
    row "new settings told" "$(sed -n 's/.*explains them: \(.*[^ ]\) *$/\1/p' /debs/dpkg.log)" outbox.keep_hours
}

removed() {
    row "the program is gone" "$(yes_if test -e /usr/bin/ocelli -o -e /usr/lib/ocelli -o -e /usr/share/ocelli)" no
    row "the unit is gone" "$(yes_if test -e /usr/lib/systemd/system/ocelli.service)" no
    row "settings kept on removal" "$(tail -n 1 $settings)" "# mine"
    row "state kept on removal" "$(cat /var/lib/ocelli/mine)" kept
}

install_first() {
    all_files >/debs/files-before
    install_package "$before"
    installed
    if [ "$mode" = booted ]; then
        row "not enabled by the package" "$(systemctl is-enabled ocelli.service || true)" disabled
    else
        row "asked of systemd at install" "$(asked)" "systemctl --system daemon-reload;"
    fi
}

upgrade() {
    local pid
    change_by_hand
    [ "$mode" = files ] || pid=$(state_of MainPID)
    install_package "$after"
    upgraded
    if [ "$mode" = booted ]; then
        row "restarted by the upgrade" "$(if [ "$pid" != "$(state_of MainPID)" ]; then state_of ActiveState; fi)" active
        row "the old version ended by itself" "$(journalctl -b -u ocelli --no-pager | grep -cE 'Failed with result .(timeout|signal|core-dump|watchdog)|[Kk]illing' || true)" 0
        row "the new version streams" "$(becomes 60 cameras_are 2)" yes
    else
        row "asked of systemd at upgrade" "$(asked)" "$asked_to_restart"
    fi
}

roll_back() {
    install_package "$before"
    row "rolled back" "$(dpkg-query -W -f '${Version}' ocelli)" "$(dpkg-deb -f "$before" Version)"
    row "settings kept by a rollback" "$(tail -n 1 $settings)" "# mine"
    if [ "$mode" = booted ]; then
        row "the version before streams again" "$(becomes 60 cameras_are 2)" yes
    else
        row "asked of systemd at rollback" "$(asked)" "$asked_to_restart"
    fi
}

remove_and_purge() {
    dpkg --remove ocelli >/debs/dpkg.log 2>&1
    removed
    if [ "$mode" = booted ]; then
        row "stopped by the removal" "$(state_of ActiveState)" inactive
    else
        row "asked of systemd at removal" "$(asked)" \
            "deb-systemd-invoke stop ocelli.service;systemctl --system daemon-reload;systemctl daemon-reload;"
    fi
    install_package "$after"
    row "settings kept by a second install" "$(tail -n 1 $settings)" "# mine"
    dpkg --purge ocelli >/debs/dpkg.log 2>&1
    rm -rf /srv/footage
    all_files >/debs/files-after
    row "left behind by a purge" "$(diff /debs/files-before /debs/files-after | sed -n 's/^> //p' | tr '\n' ' ')" ""
    row "state, cache and links after a purge" \
        "$(find /var/lib/ocelli /var/cache/ocelli /etc/systemd /var/lib/systemd -name '*ocelli*' 2>/dev/null | tr '\n' ' ')" ""
}

if [ "$mode" = files ]; then
    pretend_systemd
    install_first
    upgrade
    roll_back
    remove_and_purge
    exit
fi
. "$(dirname "$0")/booted_steps.sh"
if [ ! -e /debs/events-before ]; then
    install_first
    first_start
    cameras_come_and_go
    settings_are_reloaded
    upgrade
    roll_back
    broken_settings
    keys_and_certificates_rotate
    full_disk
    reboot_the_box
fi
after_the_reboot
remove_and_purge
