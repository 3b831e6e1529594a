#!/usr/bin/env bash
# Runs one of this folder's Python tests with Debian's interpreter, the one for
# which Debian packages grpcio. Bazel's py_test would look for `python`.
#
# usage: run_python.sh MODULE [ARGUMENT...]
set -euo pipefail
exec env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. /usr/bin/python3 -m "$1" -v "${@:2}"
