#!/usr/bin/env bash
# Fuzzes the readers of untrusted input: tests/fuzz/run.sh [SECONDS of each target, default 60] [TARGET...]
# Seeds are in tests/fuzz/corpus. New inputs are kept in build/fuzz/corpus. Stops at the first
# input that breaks a property, and stores it in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
targets=("${@:2}")
[[ ${#targets[@]} -gt 0 ]] || targets=(claims jwt keys link mail page_token policy request sql)
deploy/install-packages.sh build fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}" >&2
run() {
  local target=$1
  mkdir -p "build/fuzz/corpus/$target"
  if ! build/fuzz/tests/"fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
    -print_final_stats=1 -verbosity=1 -artifact_prefix="build/fuzz/$target-" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1; then
    tail -n 40 "build/fuzz/$target.log"
    return 1
  fi
  echo "$target, $seconds s: $(grep -E '^Done' "build/fuzz/$target.log")"
}
export -f run
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I TARGET bash -euo pipefail -c 'run TARGET'
