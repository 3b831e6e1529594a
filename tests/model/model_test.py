#!/usr/bin/env python3
"""Checks the protocol's models exhaustively, and that they can fail.

Spin makes a checker of a model and the features that a scenario names; the
compiled checker visits every state that can be reached. A scenario passes where
its report says that the search was whole and exact, found no error, and left
nothing of the model unvisited but what is named here. A planted bug passes
where the checker finds just what the bug breaks.

usage: model_test.py [-v] [TestCase.test]       (in the root of the checkout)
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).absolute().parent
SECONDS_MAX = 600
# Enough for the longest run of each model; the report says if it was not.
DEPTH_MAX = 50000
HASH_BITS = 23
MEMORY_MB_MAX = 1024

# The features of each scenario, which the models describe.
SCENARIOS = {
    "claims": ("gate", "POLICY SWITCH CANCEL"),
    "votes": ("gate", "APPROVERS EDITS POLICY"),
    "stopped": ("gate", "APPROVERS EDITS SWITCH"),
    "late": ("gate", "APPROVERS EXPIRY CANCEL"),
    "jobs": ("jobs", "SWITCH"),
    "canceled": ("jobs", "CANCEL"),
    "retries": ("jobs", "LEASES_MAX=3"),
}
# The same, with few crashes: it all comes to rest, whoever goes first.
RESTING = {
    "claims": ("gate", "SWITCH CANCEL CRASHES=2"),
    "votes": ("gate", "APPROVERS EDITS CRASHES=1"),
    "jobs": ("jobs", "CRASHES=1"),
}
# The bug, where it is planted, and what the checker must call broken.
PLANTS = {
    "NO_CLAIM_LOCK": ("gate", "POLICY", "claimed_by_one"),
    "CLAIM_COMMITS": ("gate", "", "no_intent_is_lost"),
    "EFFECT_EARLY": ("gate", "", "at_most_one_effect"),
    "EFFECT_LATE": ("gate", "", "effect_commits_with_outcome"),
    "AUDIT_OUTSIDE": ("gate", "", "audit_tells_all"),
    "STALE_POLICY": ("gate", "POLICY", "active_policy_decides"),
    "SWITCH_AT_CLAIM_ONLY": ("gate", "SWITCH", "off_means_off"),
    "NO_EXPIRY_LOCK": ("gate", "APPROVERS EXPIRY", "at_most_one_outcome"),
    "MEMO_LEFT_OPEN": ("gate", "CANCEL", "memo_open_while_awaited"),
    "NO_COMPARE_AND_SET": ("gate", "APPROVERS", "exactly_one_resumes"),
    "VOTE_UNBOUND": ("gate", "APPROVERS EDITS", "no_effect_without_authority"),
    "APPROVAL_OVERRIDES": ("gate", "APPROVERS POLICY", "block_stays_block"),
    "NO_FENCE": ("jobs", "", "lost_lease_completes_nothing"),
    "FENCE_BY_NAME": ("jobs", "", "lost_lease_completes_nothing"),
    "NO_LOCK": ("jobs", "", "at_most_one_outcome"),
    "REPEAT_COUNTS": ("jobs", "", "at_most_one_completion"),
    "NO_LEASE_LOCK": ("jobs", "", "leased_to_one"),
    "JOB_ENDS_ALONE": ("jobs", "", "job_ends_with_its_intent"),
    "NO_SWEEP": ("jobs", "", "no_intent_is_lost"),
    "LEASE_WHILE_OFF": ("jobs", "SWITCH", "off_means_off"),
}


class Report:
    """What a checker printed."""

    def __init__(self, text, model):
        self.text = text
        self.errors = self.number(r"errors: (\d+)")
        self.states = self.number(r"(\d+) states, stored")
        self.seconds = self.number(r"elapsed time ([\d.]+)")
        self.megabytes = self.number(r"([\d.]+)\s+total actual memory")
        self.broken = re.findall(r"assertion violated (\w+)", text)
        # (process, what was never done), but for ends of what has no end.
        self.unreached = []
        process = ""
        for line in text.split("\n"):
            begun = re.match(r"unreached in (?:proctype )?(\w+)", line)
            process = begun.group(1) if begun else process
            left = re.match(rf'\t{model}\.pml:\d+, state \d+, "(.*)"', line)
            if left and left.group(1) != "-end-":
                self.unreached.append((process, left.group(1)))

    def number(self, pattern):
        found = re.search(pattern, self.text)
        return float(found.group(1)) if found else None


def alarms(model):
    """Returns the properties that a model's checker asserts."""
    text = (FOLDER / f"{model}.pml").read_text(encoding="utf-8")
    return re.findall(r"^  bool (\w+) = true;", text, flags=re.M)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS_MAX,
                          check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def check(model, features, search=("-O1", "-DSAFETY"), options=()):
    """Runs a model's checker; returns what it printed."""
    folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    try:
        shutil.copy(FOLDER / f"{model}.pml", folder)
        flags = [f"-D{feature}" for feature in features.split()]
        status, text = run(["spin", "-a", *flags, f"{model}.pml"], folder)
        if status != 0 or "rror" in text:
            raise AssertionError(f"spin -a {model}.pml: {text}")
        # COLLAPSE packs states and loses nothing.
        status, text = run(["gcc", "-w", *search, "-DCOLLAPSE",
                            f"-DMEMLIM={MEMORY_MB_MAX}", "-o", "pan", "pan.c"],
                           folder)
        if status != 0:
            raise AssertionError(f"compile the checker: {text}")
        _, text = run(["./pan", f"-m{DEPTH_MAX}", f"-w{HASH_BITS}", *options],
                      folder)
        return Report(text, model)
    finally:
        shutil.rmtree(folder)


class ModelTest(unittest.TestCase):
    """The models as they are."""

    def expect_whole(self, name, report):
        print(f"{name}: {report.states:.0f} states, {report.seconds} s, "
              f"{report.megabytes:.0f} MB", flush=True)
        self.assertIn("Full statespace search", report.text)
        self.assertEqual(report.errors, 0, report.text)
        for sign in ("max search depth too small", "out of memory",
                     "reached -DMEMLIM", "Search not completed",
                     "hash-compact", "bitstate"):
            self.assertNotIn(sign, report.text)

    def test_every_state_is_right(self):
        for name, (model, features) in SCENARIOS.items():
            with self.subTest(name):
                report = check(model, features)
                self.expect_whole(name, report)
                # What is set where a property is broken, and nothing else.
                allowed = {("Checker", f"{alarm} = 0")
                           for alarm in alarms(model)}
                unexpected = set(report.unreached) - allowed
                self.assertEqual(unexpected, set())

    def test_everything_comes_to_rest(self):
        for name, (model, features) in RESTING.items():
            with self.subTest(name):
                report = check(model, features, ("-O1", "-DNP"), ("-l",))
                self.assertIn("non-progress cycles \t+", report.text)
                self.expect_whole(f"{name} at rest", report)


class PlantTest(unittest.TestCase):
    """Bugs that must be found."""

    def test_each_plant_is_found(self):
        for plant, (model, features, broken) in PLANTS.items():
            with self.subTest(plant):
                report = check(model, f"PLANT_{plant} {features}",
                               ("-O0", "-DSAFETY"))
                print(f"{plant}: {report.broken} after {report.states:.0f} "
                      "states", flush=True)
                self.assertEqual(report.errors, 1, report.text)
                self.assertEqual(report.broken, [broken])

    def test_a_claim_that_never_ends_is_found(self):
        report = check("gate", "PLANT_CLAIM_WHILE_OFF SWITCH CRASHES=1",
                       ("-O0", "-DNP"), ("-l",))
        self.assertEqual(report.errors, 1, report.text)
        self.assertIn("non-progress cycle", report.text)

    def test_every_plant_is_tried(self):
        for model in ("gate", "jobs"):
            text = (FOLDER / f"{model}.pml").read_text(encoding="utf-8")
            planted = set(re.findall(r"^#if\w* PLANT_(\w+)", text, flags=re.M))
            tried = {plant for plant, where in PLANTS.items()
                     if where[0] == model} | {"CLAIM_WHILE_OFF"} & planted
            self.assertEqual(planted, tried)

    def test_every_property_can_fail(self):
        for model in ("gate", "jobs"):
            broken = {broken for where, _, broken in PLANTS.values()
                      if where == model}
            self.assertEqual(set(alarms(model)), broken)


if __name__ == "__main__":
    unittest.main()
