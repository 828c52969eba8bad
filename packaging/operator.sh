#!/usr/bin/env bash
# `make operator`: the package judged by Debian's tools, installed by apt on a bare Debian 12, and run through
# packaging/lifecycle.sh in a booted container, which is rebooted on the way. Needs root and Debian's mirror. Writes target/reports/operator.json, a row a
# step with its bar, and fails when one is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/version.sh

die() { printf 'operator: %s\n' "$1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "run it as root: it makes a root file system and boots it"

: "${BINARY:=target/release/ocelli}"
work=$(mktemp -d /var/tmp/ocelli-operator.XXXXXX)
trap 'rm -rf "$work"' EXIT
rows=$work/rows root=$work/root
: >"$rows"

row() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$rows"; }
count_lines() { grep -cE "$1" || true; }

build_packages() {
    BINARY=$BINARY OUT=$work/debs packaging/deb.sh
    before=$(echo "$work"/debs/ocelli_*.deb)
    BINARY=$BINARY OUT=$work/debs VERSION=$VERSION+next COMPRESSION=gzip packaging/deb.sh
    after=$(echo "$work"/debs/ocelli_*+next_*.deb)
}

lint_pages() { # one at a time: mandoc 1.14 unpacks the first file only
    local page
    for page in "$1"/usr/share/man/man1/*.gz; do mandoc -T lint -W error "$page" 2>&1 || true; done
}

# MAINTAINER is set by who publishes the package; without it the address is nobody's, which lintian need not say.
judge() {
    local unpacked=$work/unpacked said
    dpkg-deb -x "$before" "$unpacked"
    said=$(lintian --allow-root --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog --tag-display-limit 0 "$work"/debs/ocelli*"_${VERSION}_"*.deb 2>&1 || true)
    [ -z "$said" ] || printf '%s\n' "$said"
    row "lintian" "$(printf '%s' "$said" | count_lines '^[EW]:')" 0 "lintian, errors and warnings"
    row "man pages" "$(lint_pages "$unpacked" | count_lines .)" 0 "mandoc -T lint -W error"
    row "alert rules" "$(.setup/promtool check rules contrib/prometheus/ocelli.rules.yml 2>&1 | count_lines 'SUCCESS: [0-9]+ rules')" 1 "promtool check rules"
    row "alerts fire when they should" "$(cd contrib/prometheus && ../../.setup/promtool test rules ocelli.test.yml 2>&1 | count_lines SUCCESS)" 1 "promtool test rules"
    row "zsh completions" "$(zsh -n "$unpacked/usr/share/zsh/vendor-completions/_ocelli" 2>&1 | count_lines .)" 0 "zsh -n"
    row "fish completions" "$(fish -n "$unpacked/usr/share/fish/vendor_completions.d/ocelli.fish" 2>&1 | count_lines .)" 0 "fish -n"
}

make_root() { # by apt, from nothing, so that what the package depends on is all that is there
    mmdebstrap --quiet --variant=minbase --include=systemd-sysv,dbus \
        --customize-hook='mkdir "$1/debs"' --customize-hook="copy-in $before $after testdata/vtest.h264 packaging/lifecycle.sh packaging/booted_steps.sh /debs" \
        --customize-hook='chroot "$1" apt-get install -y --no-install-recommends '"/debs/$(basename "$before")"' >"$1/debs/apt.log"' \
        --customize-hook='chroot "$1" dpkg --purge ocelli' bookworm "$root"
    row "installed by apt on a bare Debian 12" "$(count_lines '^Setting up ocelli ' <"$root/debs/apt.log")" 1 \
        "apt-get install ./ocelli.deb, $(sed -n 's/.* \([0-9]*\) newly installed.*/\1/p' "$root/debs/apt.log") packages"
}

# A part of the processor for the whole container: its own systemd may not have the means. Version 2 of cgroups, or 1.
group() {
    local hierarchy=/sys/fs/cgroup
    [ ! -d $hierarchy/cpu ] || hierarchy=$hierarchy/cpu
    echo $hierarchy/ocelli-operator-$$
}
set_quota() { # PER CENT of a core; 0: all that there is
    local period=100000
    if [ -e "$(group)/cpu.max" ]; then
        echo "$([ "$1" = 0 ] && echo max || echo $(($1 * period / 100))) $period" >"$(group)/cpu.max"
    else
        echo $period >"$(group)/cpu.cfs_period_us"
        echo "$([ "$1" = 0 ] && echo -1 || echo $(($1 * period / 100)))" >"$(group)/cpu.cfs_quota_us"
    fi
    echo "$1 %" >"$root/debs/quota"
}

# What the steps ask of the host, while the container runs.
serve() {
    local what
    while sleep 0.2; do
        [ -e "$root/debs/ask" ] || continue
        what=$(cat "$root/debs/ask")
        case $what in "quota "*) set_quota "${what#quota }" ;; esac
        rm "$root/debs/ask"
    done
}

boot() { # the steps run as a service, and the container ends with them, or boots anew
    cat >"$root/etc/systemd/system/operator.service" <<END
[Service]
Type=oneshot
ExecStart=/debs/lifecycle.sh booted /debs/$(basename "$before") /debs/$(basename "$after")
# Not at a reboot, which ends it as well.
ExecStopPost=/bin/sh -c 'systemctl is-system-running | grep -q stopping || systemctl poweroff --force'
StandardOutput=append:/debs/rows
StandardError=append:/debs/errors
TimeoutStartSec=1500
[Install]
WantedBy=multi-user.target
END
    ln -s /etc/systemd/system/operator.service "$root/etc/systemd/system/multi-user.target.wants/"
    [ ! -e /sys/fs/cgroup/cgroup.subtree_control ] || echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
    mkdir "$(group)"
    serve &
    # With these the service confines its children as on a box; a container refuses them.
    local confining='landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp pidfd_getfd'
    local server=$! status=133
    # It is left with 133 to be booted anew.
    while [ $status = 133 ]; do
        status=0
        timeout 1600 bash -c 'echo $$ >"$0/cgroup.procs" && exec systemd-nspawn --quiet --directory "$1" --register=no --keep-unit --private-network --system-call-filter="$2" --boot' \
            "$(group)" "$root" "$confining" >>"$work/boot.log" 2>&1 || status=$?
    done
    kill $server
    rmdir "$(group)" || true
    cat "$root/debs/errors" >&2
    [ -s "$root/debs/rows" ] || { tail -n 30 "$work/boot.log" >&2; die "the container did not come to its steps"; }
    sed 's/$/\tpackaging\/lifecycle.sh in a booted systemd-nspawn/' "$root/debs/rows" >>"$rows"
    row "every step was taken" "$(count_lines '^state, cache and links' <"$root/debs/rows")" 1 "the last row of lifecycle.sh"
}

build_packages
judge
make_root
boot
mkdir -p target/reports
jq -R -s 'split("\n") | map(select(. != "") | split("\t")
    | {name: .[0], value: .[1], unit: "", bar: .[2], ok: (.[1] == .[2]), method: .[3]})' "$rows" >target/reports/operator.json
jq -r '.[] | "\(if .ok then "ok    " else "MISSED" end)  \(.name): \(.value)"' target/reports/operator.json
jq -e 'all(.[]; .ok)' target/reports/operator.json >/dev/null || die "a bar is missed"
