#!/usr/bin/env bash
# Proves that `sgl eval` decides all 5,000 requests of a real agent platform as
# a program decided them that was written apart from any SGL implementation.
set -euo pipefail
sgl="$1" policy="$2" expected="$3" requests="$4" compare="$5"
"$sgl" eval --policy "$policy" --input "$requests" |
  python3 "$compare" "$expected"
