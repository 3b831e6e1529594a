#!/usr/bin/env bash
# Runs tutorial_test.py with Debian's own interpreter: Bazel's py_test would
# look for `python`.
#
# usage: run_tutorial.sh SGL PAGE
set -euo pipefail
exec /usr/bin/python3 -B tests/docs/tutorial_test.py "$@"
