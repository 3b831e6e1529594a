"""Proves the invariants of ARCHITECTURE.md while everything breaks: clients
submit, insert, vote, edit, cancel and do jobs in two tenants over two engines,
and by a seed engines are killed, paused and flooded, PostgreSQL is stopped,
connections are cut, kill switches thrown and rules swapped. Then all comes to
rest, and rules.py judges the rows by what the clients were answered.

    bazel run --config=opt //tests/chaos:chaos_test -- --seed 7 --seconds 60
    bazel run --config=opt //tests/chaos:chaos_test -- --plant unguarded_vote

With --plant a bug is built in first (faults.py), and the run is a success when
the rules find it. The seed is printed; it fixes what is done in which order, not
how engines and clients interleave it.
"""
import argparse
import collections
import copy
import json
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

from tests.chaos import actor
from tests.chaos import calls
from tests.chaos import checker
from tests.chaos import clients
from tests.chaos import database
from tests.chaos import engines
from tests.chaos import faults
from tests.chaos import money
from tests.chaos import rule_plants
from tests.chaos import rules
from tests.chaos import towns
from tests.chaos import workers
from tests.e2e import harness

POLICY = pathlib.Path("tests/chaos/chaos.sgl")
# What is recorded; ORPHAN has no executor, and fails, and ERRAND is a job.
EXECUTED_TYPES = ("POST", "WIRE", "FILING", "QUICK", "BURST")
# With what comes before and after it, three minutes on two cores.
SECONDS_DEFAULT = 120
# How long what was submitted may take to be decided once nothing disturbs.
_REST_SECONDS_MAX = 60
_POLL_SECONDS = 0.2
# How much longer a slow machine may take to have each event once.
_LATE_SECONDS_MAX = 60
# With a bug built in: rounds of so long, each judged, until it is found.
_FAULT_ROUND_SECONDS = 12
_FAULT_REST_SECONDS = 10
FAULT_SECONDS_MAX = 180
_SHOWN_MAX = 20


class Chaos:
    """One database with two engines; rounds of chaos in it, and what came of
    them."""

    def __init__(self, seed, fault=None):
        self.rng = random.Random(seed)
        self.server, self.database = database.make(POLICY)
        binary = harness.INTENTD
        if fault is not None:
            binary = fault.build_in(self.server.folder, self.database)
        data = self.server.folder / "data"
        executors = self.server.folder / "executors.textproto"
        executors.write_text("".join(
            f'executors {{ intent_type: "{name}" record {{}} }}\n'
            for name in EXECUTED_TYPES) +
            f'executors {{ intent_type: "{workers.JOB_TYPE}" job {{ '
            f"max_retries: {workers.RETRIES_MAX} "
            f"concurrency_max: {rules.JOBS_RUNNING_MAX} }} }}\n" + "".join(
                f'spends {{ intent_type: "{name}" '
                f'category: "{money.CATEGORY}" }}\n'
                for name in money.SPENDING_TYPES))
        self.engines = [
            engines.Engine(
                self.server, name, executors, binary=binary,
                flags=("--rate-limit", str(actor.RATE_LIMIT),
                       "--audit-key", str(data / "audit-key.pem"),
                       "--audit-heads", str(data / f"{name}-heads.jsonl")))
            for name in ("first", "second")]
        self.events = collections.Counter()
        self.failures = []
        self._lines = []
        self._digests = []
        self._platform_token = self.server.ready["tokens"]["platform"]

    def start(self):
        for engine in self.engines:
            engine.start()
        # The same rules as another version: decisions stay what they are.
        again = self.server.folder / "again.sgl"
        text = POLICY.read_text()
        again.write_text(text.replace("tests.chaos version 1",
                                      "tests.chaos version 2"))
        self._digests = self.database.propose(
            self.engines[0].address, self._platform_token, again)
        self._lines = [calls.Line(engine.address) for engine in self.engines]
        self.towns = towns.found(self.engines[0].address, self._platform_token)
        self.database.query(money.MAKE_BUDGETS)
        self.ledger = rules.ChaosLedger(people={
            person.user_id: {person.role}
            for town in self.towns for person in town.people})
        self.ledger.reigns.append(rules.Reign(self._digests[0], time.time()))
        return self

    def close(self):
        for line in self._lines:
            line.close()
        for engine in self.engines:
            engine.kill()
        self.database.close()

    def run(self, seconds, late=0):
        """One round of chaos."""
        fleet = clients.Fleet(self.towns, self._lines, self.database,
                              self.ledger, self.rng)
        chaos = actor.Actor(
            self.engines, self.database, self._digests, self.towns, fleet,
            fleet.wire(0, self._platform_token), self.rng)
        fleet.start()
        try:
            chaos.run(seconds, late)
        finally:
            fleet.finish()
        self.events += chaos.events
        self.events["turns"] += fleet.turns.count
        self.events["idle transactions ended"] = (
            self.database.idle_transactions_ended())
        self.failures += chaos.failures

    def await_rest(self, seconds=_REST_SECONDS_MAX):
        """Until nothing waits for an engine, or for so long; the rules say what
        became of it."""
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while time.monotonic() < deadline and self.database.query(
                "SELECT EXISTS (SELECT FROM intents "
                "WHERE status = 'DRAFT') "
                "OR EXISTS (SELECT FROM decision_memos "
                "WHERE status = 'PROPOSED' AND expires_at < engine_now())"
        ) == "t":
            pause.wait(_POLL_SECONDS)
        workers.finish_jobs(self._lines, self.towns, self.database,
                            self.ledger)

    def snapshot(self):
        return checker.read(self.database.query)

    def verify_log(self, slug):
        """The verdict of `intentctl audit verify` on a tenant's log, once all
        of it is sealed."""
        data = self.server.folder / "data"
        # Each engine keeps the heads that it signed.
        heads = data / "heads.jsonl"
        heads.write_text("".join(
            path.read_text() for path in sorted(data.glob("*-heads.jsonl"))))
        deadline = time.monotonic() + _REST_SECONDS_MAX
        pause = threading.Event()
        while True:
            told = subprocess.run(
                [str(harness.INTENTCTL), "audit", "verify", "--tenant", slug,
                 "--direct-url", self.server.ready["direct_url"],
                 "--heads", str(heads),
                 "--public-key", str(data / "audit-key.pem"), "--json"],
                capture_output=True, text=True, check=False, timeout=120)
            if told.returncode not in (0, 1):
                raise AssertionError(told.stderr)
            verdict = json.loads(told.stdout)
            if verdict["unsealed_count"] == 0 or time.monotonic() > deadline:
                return verdict
            pause.wait(_POLL_SECONDS)


def describe(snapshot, found):
    """The first violations, each with its intent's story."""
    stories = snapshot.by("entries", "entity_id")
    lines = [f"{len(found)} violations"]
    for one in found[:_SHOWN_MAX]:
        lines.append(f"{one.invariant}: {one.subject}: {one.text}")
        lines += [f"    {entry['transition_number']} {entry['action']} "
                  f"{entry['created_at']}" for entry in stories[one.subject]]
    return "\n".join(lines)


class ChaosTest(unittest.TestCase):
    seed = 0
    seconds = SECONDS_DEFAULT

    @classmethod
    def setUpClass(cls):
        print(f"seed {cls.seed}, {cls.seconds} s", flush=True)
        cls.chaos = Chaos(cls.seed)
        cls.addClassCleanup(cls.chaos.close)
        cls.chaos.start()
        cls.chaos.run(cls.seconds, _LATE_SECONDS_MAX)
        cls.chaos.await_rest()
        cls.snapshot = cls.chaos.snapshot()

    def test_what_must_hold_holds(self):
        found = rules.violations(self.snapshot, self.chaos.ledger)
        ends = collections.Counter(
            intent["failure_reason"] or intent["status"]
            for intent in self.snapshot.intents)
        print(f"seed {self.seed}: {ends.total()} intents {dict(ends)}, "
              f"{len(self.snapshot.votes)} votes, "
              f"{len(self.snapshot.entries)} entries")
        self.assertEqual(
            found, [], f"seed {self.seed}: " + describe(self.snapshot, found))

    def test_each_invariant_can_fail(self):
        """A violation of each kind, planted in the rows, is found."""
        for plant in rule_plants.PLANTS:
            with self.subTest(plant.invariant, plant=plant.name):
                rows = {table: [dict(row) for row in found]
                        for table, found in self.snapshot.rows.items()}
                known = vars(self.chaos.ledger)
                ledger = rules.ChaosLedger(
                    **{name: copy.copy(value)
                       for name, value in known.items()})
                plant.apply(rows, ledger)
                self.assertTrue(any(rules.INVARIANTS[plant.invariant](
                    checker.Snapshot(rows), ledger)))
        self.assertEqual({plant.invariant for plant in rule_plants.PLANTS},
                         set(rules.INVARIANTS))

    def test_engines_stood_and_refused_as_they_should(self):
        self.assertEqual(self.chaos.failures, [], f"seed {self.seed}")

    def test_the_logs_verify(self):
        for slug in towns.SLUGS:
            verdict = self.chaos.verify_log(slug)
            self.assertEqual(
                (verdict["verdict"], verdict["unsealed_count"]), ("INTACT", 0),
                f"seed {self.seed}: {verdict}")

    def test_the_ledgers_fit(self):
        for slug in towns.SLUGS:
            told = subprocess.run(
                [str(harness.INTENTCTL), "ledger", "check", "--tenant", slug,
                 "--direct-url", self.chaos.server.ready["direct_url"],
                 "--json"],
                capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(told.returncode, 0, told.stdout + told.stderr)

    def test_it_was_chaos(self):
        answers = collections.Counter(
            (act.verb, act.answer) for act in self.chaos.ledger.acts)
        print(f"seed {self.seed}: {dict(self.chaos.events)}, "
              f"{len(self.chaos.ledger.windows)} times off, {dict(answers)}")
        for event in ("kill", "drop", "stop postgres", "pause", "resume",
                      "switch off", "swap rules", "refused in floods"):
            self.assertGreater(self.chaos.events[event], 0,
                               f"{event}, seed {self.seed}")
        self.assertGreater(sum(act.in_doubt for act in self.chaos.ledger.acts),
                           0, f"seed {self.seed}")


def find(name, seed):
    """Runs with a bug built in until the rules find it; returns the exit
    status."""
    fault = faults.FAULTS[name]
    print(f"{name}, seed {seed}: {fault.says}", flush=True)
    chaos = Chaos(seed, fault)
    try:
        chaos.start()
        start = time.monotonic()
        while time.monotonic() < start + FAULT_SECONDS_MAX:
            chaos.run(_FAULT_ROUND_SECONDS)
            chaos.await_rest(_FAULT_REST_SECONDS)
            snapshot = chaos.snapshot()
            found = rules.violations(snapshot, chaos.ledger)
            named = [one for one in found
                     if one.invariant in fault.invariants]
            if named:
                kinds = collections.Counter(one.invariant for one in found)
                print(f"{name}: found after "
                      f"{time.monotonic() - start:.0f} s: {dict(kinds)}; "
                      f"first {named[0].subject}: {named[0].text}")
                return 0
    finally:
        chaos.close()
    print(f"{name}: not found within {FAULT_SECONDS_MAX} s, seed {seed}; "
          f"{dict(chaos.events)}")
    return 1


def end_early(*_):
    """Ends a run that somebody else ends, with all that it started. (An
    exception like others: unittest cleans up after no other kind.)"""
    raise RuntimeError("told to end")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int,
                        default=random.randrange(1, 1 << 32))
    parser.add_argument("--seconds", type=int, default=SECONDS_DEFAULT,
                        help="how long chaos is made")
    parser.add_argument("--plant", choices=list(faults.FAULTS),
                        help="build this bug in and find it")
    parser.add_argument("--list-plants", action="store_true",
                        help="print the names of those bugs")
    args, rest = parser.parse_known_args()
    if args.list_plants:
        print("\n".join(faults.FAULTS))
        return
    signal.signal(signal.SIGTERM, end_early)
    if args.plant:
        sys.exit(find(args.plant, args.seed))
    ChaosTest.seed = args.seed
    ChaosTest.seconds = args.seconds
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
