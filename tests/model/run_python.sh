#!/usr/bin/env bash
# Runs one of this folder's Python tests with Debian's own interpreter.
# Bazel's py_test would look for `python`.
#
# usage: run_python.sh MODULE
set -euo pipefail
exec env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. /usr/bin/python3 -m "$1" -v
