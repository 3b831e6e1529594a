#!/usr/bin/env bash
# Proves what scripts rely on in sgl: exit statuses, what goes to which stream,
# folders and repeated --policy, standard input, colours, and what is said of
# mistakes on the command line. sgl_help_test.sh is about the help.
# Backquotes in the texts expected are meant as they are.
# shellcheck disable=SC2016
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
head -1 two.jsonl >four.jsonl

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

# On a terminal, which script(1) makes, diagnostics are coloured; what goes to a
# file is not, nor anything once NO_COLOR says so.
on_terminal() {
  script -qec "$1" /dev/null >out 2>err </dev/null
}
red=$'\033[1;31merror:\033[0m'
unset NO_COLOR
export TERM=xterm
on_terminal "'$sgl' check bad.sgl"
expect_text out "bad.sgl:3:20: $red unknown field"
expect_text out $'                     \033[1;31m^~~~\033[0m'
expect_text out $'  \033[1;36mhelp:\033[0m did you mean `tier`?'
on_terminal "'$sgl' eval --policy bad.sgl --input one.jsonl >decisions"
expect_text out "bad.sgl:3:20: $red unknown field"
on_terminal "'$sgl' check bad.sgl >report"
expect_text report 'bad.sgl:3:20: error: unknown field'
on_terminal "'$sgl' check --json bad.sgl"
expect_text out '"severity":"error"'
on_terminal "NO_COLOR=1 '$sgl' check bad.sgl"
expect_text out 'bad.sgl:3:20: error: unknown field'
on_terminal "NO_COLOR= '$sgl' check bad.sgl"
expect_text out "bad.sgl:3:20: $red unknown field"
on_terminal "TERM=dumb '$sgl' check bad.sgl"
expect_text out 'bad.sgl:3:20: error: unknown field'

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
if grep -q ' ms$' out; then
  echo "a time in what programs read" >&2
  failures=$((failures + 1))
fi
on_terminal "'$sgl' test t.sgl"
expect_text out '1 test: 1 passed, 0 failed in '
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

# --fail-on: the decision is printed all the same.
expect_status 1 eval --policy set --policy b.sgl --input four.jsonl --fail-on block
expect_text out '{"decision": "BLOCK"'
expect_status 1 eval --policy set --policy b.sgl --input four.jsonl --fail-on review
expect_status 0 eval --policy set --input one.jsonl --fail-on review
expect_status 2 eval --policy set --input one.jsonl --fail-on allow

# --run takes the tests whose names contain the text.
expect_status 1 test --run high t.sgl
expect_status 2 test --run low t.sgl
expect_text err "no test's name contains \`low\`"
expect_status 0 test set
expect_text err 'the policy has no tests; one looks like this:'

# --applied leaves out the rules that did not apply.
expect_status 0 explain --policy set --policy b.sgl --input one.jsonl
expect_text out 'block B did not apply'
expect_status 0 explain --applied --policy set --policy b.sgl --input one.jsonl
if [ "$(cat out)" != ALLOW ]; then
  echo "more than the decision:" >&2
  cat out >&2
  failures=$((failures + 1))
fi
expect_status 0 explain --applied --policy set --policy b.sgl --input four.jsonl
expect_text out '* block B applied'

# Times change from run to run; what is said of them does not.
shape='^{"rules": 1, "requests": 1, "ns_per_decision_parsed": [0-9.]+, "ns_per_decision_json": [0-9.]+, "compile_ms": [0-9.]+, "program_bytes": [1-9][0-9]*}$'
expect_status 0 bench --policy set --policy b.sgl --input one.jsonl --json
if ! grep -qE "$shape" out || [ "$(wc -l <out)" -ne 1 ]; then
  echo "not the members that programs read:" >&2
  cat out >&2
  failures=$((failures + 1))
fi
"$sgl" bench --policy l.sgl <twice.jsonl >out 2>err || failures=$((failures + 1))
for line in 'rules .* 1' 'requests .* 2' 'compiling .* ms' 'program .* bytes' \
  'from parsed .* ns a decision .* decisions/s' \
  'from JSON bytes .* ns a decision .* decisions/s'; do
  if ! grep -qE "^$line\$" out; then
    echo "no line like \`$line\`:" >&2
    cat out >&2
    failures=$((failures + 1))
  fi
done
expect_status 1 bench --policy set --input two.jsonl
expect_empty out
expect_text err 'sgl bench: line 2: '
expect_status 1 bench --policy set --input /dev/null
expect_text err 'sgl bench: the input has no requests'
expect_status 1 bench --policy bad.sgl --input one.jsonl
expect_text err 'bad.sgl:3:20: error: '
expect_status 2 bench --policy set --input missing.jsonl
expect_status 2 bench --policy missing.sgl --input one.jsonl
expect_status 2 bench --input one.jsonl

# Mistakes on the command line are named, with what was probably meant.
expect_status 2 chek set
expect_empty out
expect_text err 'sgl: there is no verb `chek`; did you mean `check`?'
expect_status 2 check --jsno set
expect_text err 'sgl check: there is no option `--jsno`; did you mean `--json`?'
expect_status 2 eval set
expect_text err 'sgl eval: name the policy: --policy PATH'
expect_status 2 check
expect_text err 'sgl check: PATH is missing'
expect_status 2 lsp now
expect_text err 'sgl lsp: there is an argument too many: now'
expect_status 2
expect_text err 'Usage: sgl'
expect_status 2 help nonsense
expect_status 0 --version
expect_text out 'sgl 1.'

# A start is never written over what is there.
expect_status 0 init new
expect_text out 'wrote new/policy.sgl and new/requests.jsonl'
expect_status 0 fmt --check new
expect_status 0 test --coverage new
expect_text out '5 of 5 rules covered: 100.0 %'
echo 'mine' >new/policy.sgl
expect_status 2 init new
expect_text err '`new/policy.sgl` is there already'
[ "$(cat new/policy.sgl)" = mine ] || failures=$((failures + 1))
rm new/policy.sgl
expect_status 2 init new
[ ! -e new/policy.sgl ] || failures=$((failures + 1))

if [ "$failures" -ne 0 ]; then
  echo "$failures expectations failed" >&2
  exit 1
fi
