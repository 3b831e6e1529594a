"""Proves invariants 1, 2, 4, 5 and 6 while people race: 200 of them approve,
reject and edit 50 memos at once over three engines, of which one is killed
with SIGKILL in the middle and another after it. Each intent has one outcome,
each effect its authority, and what anybody was answered is what is on record
(checker.py says what that means, and this test also that it can fail).

    bazel test --config=opt --test_env=CHAOS_SEED=7 --test_env=CHAOS_WAVES=50 \\
        --test_timeout=3600 --test_output=streamed \\
        //tests/chaos:approval_race_test

A wave is 50 memos and two kills. The seed is printed; it fixes who does what
in which order, not how the engines interleave it.
"""
import collections
import copy
import os
import pathlib
import random
import threading
import unittest
import uuid

from tests.chaos import calls
from tests.chaos import checker
from tests.chaos import crowd
from tests.chaos import database
from tests.chaos import engines
from tests.chaos import person
from tests.chaos import plants
from tests.e2e import harness

POLICY = pathlib.Path("tests/chaos/race.sgl")
MEMOS = 50
WAVES = int(os.environ.get("CHAOS_WAVES", "1"))
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.randrange(1, 1 << 32)
TYPES = ("POST", "WIRE", "FILING")
# What each kind of person looks at in a wave, and how many of them there are.
# Rejections are few, or nothing would be left to race for.
TURNS = {"approver": 8, "batcher": 2, "editor": 3, "rejecter": 1}
SHARES = {"approver": 130, "batcher": 15, "editor": 40, "rejecter": 15}
BATCH = 5
# What a person may be told; anything else is a mistake of ours. (CONFLICT: other
# calls were in the way three times in a row.)
ANSWERS = {"ACKNOWLEDGED", "ALREADY_VOTED", "CONFLICT", "MEMO_CLOSED",
           "NOTHING_CHANGED", "OTHER_REASONS", "ROLE_MISSING", "SELF_APPROVAL",
           "STALE_PAYLOAD", "STALE_REVISION"}


class Race:
    """The waves of one run, and what came of them.

    Sampling is by each person's own generator, so that a seed means the same
    however the threads take turns.
    """

    def __init__(self, server, seed):
        self._server = server
        self._rng = random.Random(seed)
        self._crowd = crowd.gather(server)
        self.ledger = checker.Ledger(people=self._crowd.roles())
        self._lock = threading.Lock()
        executors = server.folder / "executors.textproto"
        executors.write_text("".join(
            f'executors {{ intent_type: "{name}" record {{}} }}\n'
            for name in TYPES))
        self.engines = [
            engines.Engine(server, name, executors).start()
            for name in ("second", "third")]
        self._agents = [server.client_with(token)
                        for token in self._crowd.agent_tokens]
        # One connection an engine, shared: what races is in the engines.
        self._lines = [
            calls.Line(address)
            for address in [server.ready["address"]] +
            [engine.address for engine in self.engines]]

    def close(self):
        for line in self._lines:
            line.close()
        for engine in self.engines:
            engine.stop()

    def _submit(self):
        """Returns the ids of new memos."""
        memo_ids = []
        for number in range(MEMOS):
            client = self._agents[number % crowd.AGENTS]
            request_id = str(uuid.UUID(int=self._rng.getrandbits(128),
                                       version=4))
            intent = client.submit(
                self._rng.choice(TYPES), {"text": f"{number}"},
                request_id=request_id, spend_micros_usd=person.BIG)
            self.ledger.submissions[request_id] = intent.id
            memo_ids.append(intent.decision_memo_id)
        return memo_ids

    def _person(self, number):
        who = self._crowd.people[number]
        return person.Person(
            who, calls.Wire(self._lines, number, who.token),
            random.Random(self._rng.getrandbits(64)), self._lock, self.ledger,
            TYPES)

    def _hurry(self, number, racer, kind, memo_ids, turns, start):
        """A person's part in a wave; ends early for nothing but a failure."""
        size = BATCH if kind == "batcher" else 1
        # Of the agent that is the person's own.
        own = memo_ids[number % crowd.AGENTS::crowd.AGENTS]
        start.wait()
        for _ in range(TURNS[kind]):
            is_own = number in crowd.BARRED and racer.rng.random() < 0.5
            racer.take_turn(
                kind, racer.rng.sample(own if is_own else memo_ids, size))
            turns.add()

    def run_wave(self):
        """50 memos; one engine is killed and comes back, then another is."""
        memo_ids = self._submit()
        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        self._rng.shuffle(kinds)
        planned = sum(SHARES[kind] * TURNS[kind] for kind in SHARES)
        # While much is still open, and once more before all is.
        first = self._rng.randrange(planned // 20, planned // 6)
        second = self._rng.randrange(planned // 4, planned // 2)
        victims = self._rng.sample(self.engines, 2)
        turns = calls.Turns()
        start = threading.Barrier(len(kinds))
        failures = []

        def run(number, racer, kind):
            try:
                self._hurry(number, racer, kind, memo_ids, turns, start)
            except BaseException as failure:
                failures.append(failure)
                # Nobody waits for turns that will never be taken.
                for _ in range(planned):
                    turns.add()

        threads = [threading.Thread(target=run,
                                    args=(number, self._person(number), kind))
                   for number, kind in enumerate(kinds)]
        for thread in threads:
            thread.start()
        for count, victim in zip((first, second), victims):
            turns.wait_for(count)
            victim.kill()
            victim.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        self._finish(memo_ids)

    def _finish(self, memo_ids):
        """People one by one approve what is left, until nothing waits."""
        for memo_id in memo_ids:
            numbers = list(range(crowd.PEOPLE))
            self._rng.shuffle(numbers)
            for number in numbers:
                racer = self._person(number)
                memo = racer.look(memo_id)
                if memo.status != harness.intent_pb2.MEMO_STATUS_PROPOSED:
                    break
                racer.approve(memo)


class ApprovalRaceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}, {WAVES} waves", flush=True)
        cls._context = harness.dev_server(policy=POLICY)
        server = cls._context.__enter__()
        cls.addClassCleanup(cls._context.__exit__, None, None, None)
        cls.race = Race(server, SEED)
        cls.addClassCleanup(cls.race.close)
        for _ in range(WAVES):
            cls.race.run_wave()
        cls.ledger = cls.race.ledger
        cls.snapshot = checker.read(
            database.Database(server).query)

    def test_each_intent_has_one_outcome_and_each_effect_its_authority(self):
        found = checker.violations(self.snapshot, self.ledger)
        self.assertEqual(found, [], f"seed {SEED}")
        ends = collections.Counter(
            intent["status"] for intent in self.snapshot.intents)
        print(f"seed {SEED}: {dict(ends)}")
        self.assertEqual(ends.total(), MEMOS * WAVES)
        self.assertEqual(set(ends) - set(checker.FINAL), set())

    def test_it_was_a_race(self):
        """What the crowd met says that they were in each other's way."""
        answers = collections.Counter(
            (act.verb, act.answer) for act in self.ledger.acts)
        doubts = sum(act.in_doubt for act in self.ledger.acts)
        print(f"seed {SEED}: {dict(answers)}, {doubts} in doubt")
        for wanted in (("APPROVE", "ACKNOWLEDGED"), ("EDIT", "ACKNOWLEDGED"),
                       ("REJECT", "ACKNOWLEDGED"), ("APPROVE", "MEMO_CLOSED"),
                       ("APPROVE", "STALE_REVISION"),
                       ("APPROVE", "SELF_APPROVAL"),
                       ("APPROVE", "ROLE_MISSING")):
            self.assertGreater(answers[wanted], 0, f"{wanted}, seed {SEED}")
        self.assertEqual({answer for _, answer in answers} - ANSWERS, set(),
                         f"seed {SEED}")
        self.assertGreater(doubts, 0, f"seed {SEED}")
        self.assertTrue(any(vote["delegation_ids"]
                            for vote in self.snapshot.votes))

    def test_each_invariant_can_fail(self):
        """A violation of each kind, planted in the rows, is found."""
        for plant in plants.PLANTS:
            with self.subTest(plant.invariant, plant=plant.name):
                rows = copy.deepcopy(self.snapshot.rows)
                ledger = copy.deepcopy(self.ledger)
                plant.apply(rows, ledger)
                found = checker.violations(checker.Snapshot(rows), ledger)
                self.assertIn(plant.invariant,
                              {one.invariant for one in found})
        self.assertEqual({plant.invariant for plant in plants.PLANTS},
                         set(checker.INVARIANTS))


if __name__ == "__main__":
    unittest.main()
