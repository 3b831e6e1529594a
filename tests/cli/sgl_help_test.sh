#!/usr/bin/env bash
# Proves that the help of sgl and of each of its verbs shows a usage line, exit
# statuses and examples, and that every example runs as shown in a folder that
# `sgl init` made: those lines are what people paste.
#
# An example is a line that begins with two spaces below `examples:`, up to the
# next blank line; what follows `#` is said to the reader.
set -uo pipefail
sgl="$PWD/$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$sgl" "$work/bin/sgl"
export PATH="$work/bin:$PATH"
failures=0

fail() {
  echo "$*" >&2
  failures=$((failures + 1))
}

# Standard input of each example: an editor that leaves at once for `sgl lsp`,
# nothing for all others.
hello='{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}'
shutdown='{"jsonrpc":"2.0","id":1,"method":"shutdown"}'
leave='{"jsonrpc":"2.0","method":"exit"}'
for message in "$hello" "$shutdown" "$leave"; do
  printf 'Content-Length: %d\r\n\r\n%s' "${#message}" "$message"
done >"$work/lsp_input"

# Runs the examples of a help text in a fresh folder, one after another.
run_examples() {
  local name=$1 text=$2 folder count=0 line input
  folder="$(mktemp -d "$work/XXXXXX")"
  cd "$folder" || exit 1
  case "$name" in
    sgl | "sgl init") ;;  # Their examples begin with nothing.
    *) sgl init >/dev/null ;;
  esac
  while IFS= read -r line; do
    line=${line%%  #*}
    count=$((count + 1))
    input=/dev/null
    [ "$name" != "sgl lsp" ] || input="$work/lsp_input"
    bash -o pipefail -c "$line" >out 2>err <"$input" ||
      fail "$name: the example does not run: $line
$(cat out err)"
  done < <(sed -n '/^examples:$/,/^$/{/^  /p}' <<<"$text")
  [ "$count" -gt 0 ] || fail "$name: no example in its help"
}

verbs=$(sgl --help | sed -n '/^Subcommands:$/,/^$/{s/^  \([a-z]*\) .*/\1/p}')
[ "$(wc -w <<<"$verbs")" -ge 7 ] || fail "verbs not found in the help: $verbs"
for verb in "" $verbs; do
  name="sgl${verb:+ $verb}"
  # shellcheck disable=SC2086
  text=$(sgl $verb --help) || fail "$name --help: exit status $?"
  grep -q "^Usage: $name" <<<"$text" || fail "$name: no usage line"
  grep -q '^exit status: 0 ' <<<"$text" || fail "$name: no exit statuses"
  awk 'length($0) > 100 { exit 1 }' <<<"$text" ||
    fail "$name: a line of its help is longer than 100 columns"
  # shellcheck disable=SC2086
  [ "$(sgl help $verb)" = "$text" ] || fail "sgl help $verb: another text"
  run_examples "$name" "$text"
done

if [ "$failures" -ne 0 ]; then
  echo "$failures expectations failed" >&2
  exit 1
fi
