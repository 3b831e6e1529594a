#!/usr/bin/env bash
# Proves that every benchmark runs, if only for a moment: a benchmark checks
# the decisions that it times when it begins. The larger sizes are left out.
set -euo pipefail
out="${TEST_TMPDIR:-/tmp}/bench_smoke.json"
filter='/(4|10|100|1000)/'
for binary in "$@"; do
  echo "$binary" >&2
  "$binary" --benchmark_filter="$filter" --benchmark_min_time=0.0001 \
    --benchmark_format=json >"$out"
  # A filter that lets nothing run proves nothing.
  names=$(grep -c '"run_name"' "$out")
  [ "$names" -gt 0 ]
  if grep -n '"error_occurred": true' "$out"; then exit 1; fi
done
