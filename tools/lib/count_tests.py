#!/usr/bin/env python3
"""Counts the test cases that a `bazel test` run passed and failed.

usage: count_tests.py TESTLOGS_DIR BAZEL_OUTPUT

TESTLOGS_DIR is `bazel info bazel-testlogs`; BAZEL_OUTPUT is what the run
printed. The targets come from the run's summary, so that results of targets
that no longer exist are not counted; the cases come from the test.xml that
each target wrote. A target that failed without naming a failed case (it did
not build, it crashed, it timed out) counts as one failure. Prints
`PASSED FAILED`.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

SUMMARY = re.compile(
    r"^(//\S+)\s+(?:\(cached\) )?"
    r"(PASSED|FAILED TO BUILD|FAILED|TIMEOUT|NO STATUS|FLAKY|INCOMPLETE)")


def count_cases(report):
    """Returns (cases, failed cases) of one test.xml."""
    cases = failed = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            continue
        cases += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
    return cases, failed


def main():
    logs = pathlib.Path(sys.argv[1])
    verdicts = {}
    for line in open(sys.argv[2], encoding="utf-8", errors="replace"):
        match = SUMMARY.match(line)
        if match:
            verdicts[match.group(1)] = match.group(2)
    passed = failed = 0
    for target, verdict in sorted(verdicts.items()):
        folder = logs / target[2:].replace(":", "/")
        cases = bad = 0
        if verdict in ("PASSED", "FAILED", "FLAKY"):
            for report in sorted(folder.glob("**/test.xml")):
                try:
                    more, worse = count_cases(report)
                except xml.etree.ElementTree.ParseError:
                    more, worse = 0, 0
                cases += more
                bad += worse
        if verdict == "PASSED":
            cases = max(cases, 1)
        else:
            bad = max(bad, 1)
        passed += max(cases - bad, 0)
        failed += bad
    print(passed, failed)


if __name__ == "__main__":
    main()
