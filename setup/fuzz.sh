#!/usr/bin/env bash
# Fuzzes what strangers send, each target (or those of TARGETS="chunks object") for SECONDS_EACH (600): libFuzzer by cargo-fuzz, on the stable toolchain.
# It begins with fuzz/corpus and goes on with what it has found before, which is kept in target/fuzz-corpus; an input
# that breaks something is kept in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-600}
tools=.setup/fuzz
targets=(authorization call chunks image listing object)
[ -z "${TARGETS:-}" ] || read -ra targets <<<"$TARGETS"
if [ ! -x "$tools/bin/cargo-fuzz" ]; then
    echo "fuzz: installing cargo-fuzz"
    cargo install --quiet --locked --root "$tools" cargo-fuzz@0.13.2
fi
# The coverage that libFuzzer goes by needs no sanitizer; the flags for it are unstable all the same.
export PATH="$PWD/$tools/bin:$PATH" RUSTC_BOOTSTRAP=1
fuzz() { cargo fuzz "$1" --sanitizer none --target-dir target/fuzz "${@:2}"; }

echo "fuzz: building, minutes the first time"
fuzz build >/dev/null 2>&1 || { fuzz build; exit 1; }
mkdir -p target/reports
pids=()
for target in "${targets[@]}"; do
    mkdir -p "target/fuzz-corpus/$target"
    fuzz run "$target" "target/fuzz-corpus/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        >"target/reports/fuzz-$target.log" 2>&1 &
    pids+=($!)
done
failed=0
figures=()
for index in "${!targets[@]}"; do
    target=${targets[$index]}
    log=target/reports/fuzz-$target.log
    if wait "${pids[$index]}"; then found=0; else found=1; failed=1; tail -n 20 "$log"; fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz: $target: ${runs:-0} inputs, $found that broke something"
    method="libFuzzer for $seconds s; ${runs:-0} inputs"
    figures+=("$(jq -n --arg name "fuzz: $target" --arg method "$method" --argjson value "$found" \
        '{name: $name, value: $value, unit: "", bar: 0, ok: ($value == 0), method: $method}')")
done
printf '%s\n' "${figures[@]}" | jq -s . >target/reports/fuzz.json
echo "written: target/reports/fuzz.json"
exit "$failed"
