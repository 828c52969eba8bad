# What an operator does with the service in a booted root that may be thrown away. lifecycle.sh reads it; each step prints its
# rows. What only the host can do is asked of packaging/operator.sh by files in /debs.

footage=/srv/footage/vtest.h264
more=/etc/ocelli/conf.d
state=/var/lib/ocelli

state_of() { systemctl show --property "$1" --value ocelli.service; }
# Whom settings that are broken do not keep from asking.
status() { ocelli status --config /debs/status.toml "$@"; }
cameras_in() { { status --json 2>/dev/null || true; } | { grep -oE "\"state\": ?\"$1\"" || true; } | wc -l; } # STATE
cameras_are() { [ "$(cameras_in streaming)" = "$1" ]; }
serves_since() { [ "$(state_of MainPID)" = "$1" ] && cameras_are "$2"; }
write_settings() { install -m 640 -o root -g ocelli /dev/stdin "$more/$1"; }

becomes() { # SECONDS COMMAND...
    local wait seconds=$1
    shift
    for wait in $(seq "$seconds"); do
        if "$@" >/dev/null 2>&1; then echo yes && return; fi
        sleep 1
    done
    { echo "after $seconds s: $*" && status && journalctl -u ocelli --no-pager | tail -n 30; } >&2 || true
    echo no
}

ask_the_host() { # WHAT
    echo "$1" >/debs/asked && mv /debs/asked /debs/ask
    until [ ! -e /debs/ask ]; do sleep 0.2; done
}

# A box with a camera, which is a file, and a broker that is never there: its events wait on the disk.
first_start() {
    printf 'state_directory = "%s"\n' $state >/debs/status.toml
    install -d /srv/footage && cp /debs/vtest.h264 $footage
    install -d -m 750 -g ocelli $more
    printf '[[cameras]]\nid = "yard"\nurl = "file://%s"\n' $footage | write_settings camera.toml
    row "settings are checked before the first start" "$(ocelli check --offline >/debs/said 2>&1 && echo yes || grep -vE '^ok ' /debs/said | tr '\n' ' ')" yes
    ask_the_host "quota 20"
    row "the host's quota is in force" "$(cat /debs/quota)" "20 %"
    systemctl enable --quiet --now ocelli
    row "streams at its first start with 20 % of a core" "$(becomes 300 cameras_are 1)" yes
    ask_the_host "quota 0"
}

cameras_come_and_go() {
    local pid
    pid=$(state_of MainPID)
    row "a camera is added by a command" "$(yes_if ocelli camera add gate file://$footage)" yes
    row "and found right" "$(yes_if ocelli check --offline)" yes
    ocelli reload >/debs/said 2>&1 || cat /debs/said >&2
    row "it streams after a reload" "$(becomes 60 cameras_are 2)" yes
    ocelli camera set gate fps=2 >/dev/null && ocelli reload >/debs/said 2>&1 || cat /debs/said >&2
    row "its settings change without a gap" "$(grep -c 'camera gate: changed' /debs/said || true)" 1
    ocelli camera remove gate >/dev/null && ocelli reload >/debs/said 2>&1 || cat /debs/said >&2
    row "it goes after a reload" "$(becomes 60 cameras_are 1)" yes
    ocelli camera add gate file://$footage >/dev/null && ocelli reload >/debs/said 2>&1 || cat /debs/said >&2
    row "and is back, in the same process" "$(becomes 60 serves_since "$pid" 2)" yes
}

settings_are_reloaded() {
    local pid
    pid=$(state_of MainPID)
    printf '[[cameras]]\nid = "yard"\nurl = "file://%s"\nfps = 3.0\n' $footage | write_settings camera.toml
    systemctl reload ocelli
    row "systemctl reload changes a camera" "$(becomes 20 grep_journal 'camera yard: changed')" yes
    row "in the same process" "$(becomes 20 serves_since "$pid" 2)" yes
}

grep_journal() { journalctl -b -u ocelli --no-pager | grep -q "$1"; }

broken_settings() {
    local pid restarts
    pid=$(state_of MainPID)
    printf '[http]\nport = "many"\n' | write_settings broken.toml
    row "broken settings: the reload fails" "$(yes_if ocelli reload)" no
    row "it names file and line" "$(ocelli reload 2>&1 | grep -c 'broken.toml:2' || true)" 1
    row "and changes nothing" "$(becomes 20 serves_since "$pid" 2)" yes
    row "a restart fails" "$(yes_if systemctl restart ocelli)" no
    restarts=$(state_of NRestarts)
    row "with exit code" "$(state_of ExecMainStatus)" 78
    sleep 5
    row "and is not tried again" "$(state_of ActiveState) $(($(state_of NRestarts) - restarts))" "failed 0"
    rm $more/broken.toml
    systemctl restart ocelli
    row "mended, it streams" "$(becomes 60 cameras_are 2)" yes
}

certificate() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
        -keyout /etc/ocelli/server.key -out /etc/ocelli/server.pem 2>/dev/null
    chgrp ocelli /etc/ocelli/server.key /etc/ocelli/server.pem
    chmod 640 /etc/ocelli/server.key /etc/ocelli/server.pem
}
certificate_that_serves() {
    openssl s_client -connect 127.0.0.1:8443 </dev/null 2>/dev/null | openssl x509 -noout -subject | sed 's/.*CN = //'
}
is_certified_as() { [ "$(certificate_that_serves)" = "$1" ]; }

access_key() { # SECRET
    printf '%s' "$1" | install -m 640 -o root -g ocelli /dev/stdin /etc/ocelli/access-key
}
hmac() { printf '%s' "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" | sed 's/.* //'; }
sha256() { printf '%s' "$1" | openssl dgst -sha256 | sed 's/.* //'; }

# The status of DescribeProjects, signed with a secret as AWS' Signature Version 4 has it.
signed_call() { # SECRET
    local at day scope names head request signature key part body='{}' status
    at=$(date -u +%Y%m%dT%H%M%SZ) day=${at%T*} scope=${at%T*}/eu-west-1/rekognition/aws4_request
    names='content-type;host;x-amz-date;x-amz-target'
    head=$(printf 'content-type:application/x-amz-json-1.1\nhost:localhost\nx-amz-date:%s\nx-amz-target:RekognitionService.DescribeProjects' "$at")
    request=$(printf 'POST\n/\n\n%s\n\n%s\n%s' "$head" "$names" "$(sha256 "$body")")
    key=$(printf 'AWS4%s' "$1" | od -An -tx1 | tr -d ' \n')
    for part in "$day" eu-west-1 rekognition aws4_request; do key=$(hmac "$key" "$part"); done
    signature=$(hmac "$key" "$(printf 'AWS4-HMAC-SHA256\n%s\n%s\n%s' "$at" "$scope" "$(sha256 "$request")")")
    exec 3<>/dev/tcp/127.0.0.1/8480
    printf 'POST / HTTP/1.1\r\nConnection: close\r\n%s\r\nAuthorization: AWS4-HMAC-SHA256 Credential=OPERATOR/%s, SignedHeaders=%s, Signature=%s\r\nContent-Length: %d\r\n\r\n%s' \
        "${head//$'\n'/$'\r\n'}" "$scope" "$names" "$signature" "${#body}" "$body" >&3
    read -r _ status _ <&3
    exec 3>&-
    echo "$status"
}
is_answered() { [ "$(signed_call "$1")" = "$2" ]; } # SECRET STATUS

keys_and_certificates_rotate() {
    local pid
    certificate before.example && access_key 'the-key-of-before'
    write_settings http.toml <<'END'
[http]
public_address = "127.0.0.1"
[http.tls]
certificate_file = "/etc/ocelli/server.pem"
key_file = "/etc/ocelli/server.key"
[[access_keys]]
access_key_id = "OPERATOR"
role = "operator"
secret_file = "/etc/ocelli/access-key"
END
    systemctl restart ocelli
    row "the first certificate serves" "$(becomes 60 is_certified_as before.example)" yes
    row "the first key opens" "$(becomes 20 is_answered the-key-of-before 200)" yes
    row "and it streams" "$(becomes 60 cameras_are 2)" yes
    pid=$(state_of MainPID)
    certificate after.example && access_key 'the-key-of-after'
    ocelli reload >/debs/said 2>&1 || cat /debs/said >&2
    row "the next certificate serves" "$(becomes 20 is_certified_as after.example)" yes
    row "the next key opens" "$(becomes 20 is_answered the-key-of-after 200)" yes
    row "the one before does not" "$(yes_if is_answered the-key-of-before 200)" no
    row "without a restart" "$(becomes 20 serves_since "$pid" 2)" yes
}

# A small disk in place of the state, filled to the last byte.
full_disk() {
    local pid
    systemctl stop ocelli
    cp -a $state /var/tmp/state-before
    mount -t tmpfs -o "size=24m,mode=0700,uid=$(id -u ocelli),gid=$(id -g ocelli)" tmpfs $state
    cp -a /var/tmp/state-before/. $state/
    systemctl start ocelli
    row "streams on a small disk" "$(becomes 60 cameras_are 2)" yes
    pid=$(state_of MainPID)
    dd if=/dev/zero of=$state/filler bs=4k 2>/dev/null || true
    ocelli ctl disable gate >/debs/said 2>&1 || true
    row "full disk: it is said" "$(becomes 60 said_to_be_unwritten)" yes
    row "and the camera goes on" "$(becomes 20 serves_since "$pid" 1)" yes
    rm $state/filler
    row "with room again nothing is unwritten" "$(becomes 120 nothing_unwritten)" yes
    row "in the same process" "$(yes_if serves_since "$pid" 1)" yes
    systemctl stop ocelli
    rm -rf /var/tmp/state-before && cp -a $state /var/tmp/state-before
    umount $state
    cp -a /var/tmp/state-before/. $state/
    rm -rf /var/tmp/state-before
    systemctl start ocelli
    row "what was commanded on the full disk is kept" "$(becomes 60 cameras_are 1)" yes
}
unwritten() { { status --json 2>/dev/null || true; } | tr -d '\n ' | grep -oE '"unwritten_files":\[[^]]*\]'; }
said_to_be_unwritten() { { status 2>&1 || true; } | grep -E 'No space left|disk is full|cannot be written|not written to the disk'; }
nothing_unwritten() { [ "$(unwritten)" = '"unwritten_files":[]' ] && ! said_to_be_unwritten; }

stored_events() { ocelli events --since 1h --json 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'; }

# Comes back in the second half of lifecycle.sh.
reboot_the_box() {
    stored_events | sort >/debs/events-before
    row "events are stored before the reboot" "$([ -s /debs/events-before ] && echo yes || echo no)" yes
    systemctl reboot
    sleep infinity
}

after_the_reboot() {
    row "it is back after a reboot" "$(becomes 120 cameras_are 1)" yes
    row "its camera is still switched off" "$(cameras_in disabled)" 1
    stored_events | sort >/debs/events-after
    row "events that a reboot lost" "$(comm -23 /debs/events-before /debs/events-after | wc -l)" 0
    row "its key and certificate still hold" "$(is_answered the-key-of-after 200 && certificate_that_serves)" after.example
}
