# What the scripts of the set-up share, sourced at the top of the repository: how they speak, and the Python they use.
# They set SCRIPT, their name in messages, and STEPS, how many steps they have.
work=.setup

step() { printf '%s: [%s/%s] %s\n' "$SCRIPT" "$1" "$STEPS" "$2"; }
die() { printf '%s: %s\n' "$SCRIPT" "$1" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        die "root is needed for: $* (run as root, or install sudo)"
    fi
}

# Says what will be taken, and every few seconds how far it is.
install_by_apt() { # LOG PACKAGE...
    local log=$1 all apt=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends)
    shift
    "${apt[@]}" --assume-no "$@" >"$log" 2>&1 || true
    all=$(sed -n 's/.* \([0-9]*\) newly installed.*/\1/p' "$log")
    printf '%s:       with what they need %s packages, %s\n' "$SCRIPT" "${all:-?}" \
        "$(sed -n -e 's/^Need to get \(.*\) of archives.*/\1 to fetch/p' -e 's/^After this operation, \(.*\) of additional.*/\1 on the disk/p' "$log" | paste -sd , | sed 's/,/, /')"
    as_root "${apt[@]}" -y -q "$@" >"$log" 2>&1 &
    local apt_pid=$! said='' now seconds=0
    while kill -0 "$apt_pid" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 5)) = 0 ] || continue
        now="$(grep -c '^Get:' "$log" || true) fetched, $(grep -c '^Unpacking ' "$log" || true) unpacked, $(grep -c '^Setting up ' "$log" || true) set up"
        [ "$now" = "$said" ] || printf '%s:       %s of %s\n' "$SCRIPT" "$now" "${all:-?}"
        said=$now
    done
    wait "$apt_pid" || { tail -n 20 "$log" >&2; return 1; }
}

make_venv() {
    [ -x "$work/venv/bin/pip" ] || /usr/bin/python3 -m venv "$work/venv" \
        || die "python3 -m venv failed: \`make setup\` installs python3-venv"
}

# NAME: whether the venv has the packages of setup/requirements-NAME.txt.
has_packages() { cmp -s "setup/requirements-$1.txt" "$work/venv/$1.txt"; }

# NAME: installs them. The mark comes last, when all of them are there.
install_packages_of() {
    make_venv
    "$work/venv/bin/pip" install -q --only-binary=:all: --require-hashes -r "setup/requirements-$1.txt" \
        || die "the packages of setup/requirements-$1.txt cannot be installed"
    cp "setup/requirements-$1.txt" "$work/venv/$1.txt"
}
