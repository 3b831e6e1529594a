#!/usr/bin/env bash
# Proves that a folder of shipped rules checks without a word, is laid out as
# `sgl fmt` would, and that its own tests pass and cover every rule.
#
# usage: library_test.sh SGL FOLDER
set -euo pipefail
sgl=$1
folder=$2
checked=$("$sgl" check "$folder")
[ "$checked" = "0 errors, 0 warnings" ] || {
  echo "$checked"
  exit 1
}
"$sgl" fmt --check "$folder"
tested=$("$sgl" test --coverage "$folder")
echo "$tested"
grep -qE 'rules covered: 100\.0 %$' <<<"$tested"
grep -qE '^[1-9][0-9]* tests: [0-9]+ passed, 0 failed$' <<<"$tested"
