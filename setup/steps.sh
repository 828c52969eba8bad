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

make_venv() {
    [ -x "$work/venv/bin/pip" ] || /usr/bin/python3 -m venv "$work/venv" \
        || die "python3 -m venv failed: \`make setup\` installs python3-venv"
}
