#!/usr/bin/env bash
# Proves what scripts rely on in sgl: exit statuses, what goes to which stream,
# folders and repeated --policy, standard input, and help with an example.
set -uo pipefail
sgl="$PWD/$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# Runs sgl with the arguments behind the first, which is the status to expect.
expect_status() {
  local want="$1" got
  shift
  "$sgl" "$@" >out 2>err
  got=$?
  if [ "$got" -ne "$want" ]; then
    echo "sgl $*: exit status $got, not $want" >&2
    cat out err >&2
    failures=$((failures + 1))
  fi
}

# Expects a fixed text in a file.
expect_text() {
  if ! grep -qF -- "$2" "$1"; then
    echo "no \`$2\` in $1:" >&2
    cat "$1" >&2
    failures=$((failures + 1))
  fi
}

expect_empty() {
  if [ -s "$1" ]; then
    echo "$1 is not empty:" >&2
    cat "$1" >&2
    failures=$((failures + 1))
  fi
}

mkdir set
printf 'policy a version 1\ndefault allow\nintent *{}\n' >set/a.sgl
printf 'policy b version 1\nblock B when agent.tier > 3\n' >b.sgl
printf 'policy c version 1\ndefault allow\nblock B when agent.teir > 3\n' >bad.sgl
printf '{"intent": {"type": "A"}, "agent": {"tier": 4}}\nnonsense\n' >two.jsonl
printf '{"intent": {"type": "A"}}\n' >one.jsonl

expect_status 0 check set
expect_text out '0 errors'
expect_status 1 check bad.sgl
expect_text out 'bad.sgl:3:20: error: '
expect_status 2 check missing.sgl
expect_status 2 check
expect_status 2
expect_status 2 nonsense

# The set is what both options name.
expect_status 1 eval --policy set --policy b.sgl --input two.jsonl
expect_text out '{"decision": "BLOCK", "reasons": [{"code": "B"'
expect_text out '{"error": "'
expect_empty err
if [ "$(wc -l <out)" -ne 2 ]; then
  echo "not a line for a line" >&2
  failures=$((failures + 1))
fi

"$sgl" eval --policy set <one.jsonl >out 2>err || failures=$((failures + 1))
expect_text out '{"decision": "ALLOW", "reasons": []'

# A policy with errors decides nothing and says why on the other stream.
expect_status 1 eval --policy bad.sgl --input one.jsonl
expect_empty out
expect_text err 'bad.sgl:3:20: error: '
expect_status 2 eval --input one.jsonl
expect_status 2 eval --policy set --input missing.jsonl
expect_status 2 eval --policy missing.sgl

# Tests: one that passes, one that fails, and where the report goes.
cat >t.sgl <<'END'
policy t version 1
default allow
intent A {}
block B on A when agent.tier > 3
test "high tiers" {
  given { intent: { type: A }, agent: { tier: 4 } } expect block [B]
}
END
expect_status 0 test --coverage --junit t.xml t.sgl
expect_text out 'never not applied:'
expect_text out '1 test: 1 passed, 0 failed'
expect_text t.xml '<testcase classname="t.sgl" name="high tiers"/>'
expect_empty err
sed -i 's/block \[B\]/allow/' t.sgl
expect_status 1 test t.sgl
expect_text out 't.sgl:6:9: FAILED "high tiers"'
expect_status 1 test --json t.sgl
expect_text out '"failed": 1'
expect_status 1 test bad.sgl
expect_empty out
expect_status 2 test missing.sgl
expect_status 2 test

# Limits count from line to line.
printf 'policy l version 1\ndefault allow\nintent *{}\nlimit L 1 per agent per 1d else block\n' >l.sgl
cat one.jsonl one.jsonl >twice.jsonl
expect_status 0 eval --policy l.sgl --input twice.jsonl
expect_text out '{"decision": "ALLOW"'
expect_text out '{"decision": "BLOCK", "reasons": [{"code": "L"'

for verb in "" check eval test; do
  # shellcheck disable=SC2086
  expect_status 0 $verb --help
  expect_text out 'example'
done

if [ "$failures" -ne 0 ]; then
  echo "$failures expectations failed" >&2
  exit 1
fi
