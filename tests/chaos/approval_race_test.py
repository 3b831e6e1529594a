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
import hashlib
import os
import pathlib
import random
import re
import subprocess
import threading
import unittest
import uuid

import grpc

from tests.chaos import checker
from tests.chaos import crowd
from tests.chaos import engines
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
# Below it nobody is asked; above $1,000,000 nothing is let pass.
BIG, SMALL, HUGE = 300_000_000, 1_000_000, 2_000_000_000_000
TRIES_MAX = 20
# Answers after which nobody knows whether it was done.
IN_DOUBT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN,
            grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


def reason_of(error):
    """The reason in a refusal's ErrorInfo; its code where it has none."""
    details = dict(error.trailing_metadata() or ()).get(
        "grpc-status-details-bin", b"")
    found = re.search(rb"google\.rpc\.ErrorInfo\x12.{1,2}?\n(.)", details,
                      flags=re.S)
    if not found:
        return error.code().name
    return details[found.end():found.end() + found[1][0]].decode()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Turns:
    """Turns taken, for who waits until there were so many."""

    def __init__(self):
        self._changed = threading.Condition()
        self._count = 0

    def add(self):
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count)


class Wire:
    """A person's connections: one engine after the other until one answers."""

    def __init__(self, channels, home, token):
        self._stubs = [
            harness.decision_service_pb2_grpc.DecisionServiceStub(channel)
            for channel in channels]
        self._at = home % len(self._stubs)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def call(self, method, request):
        """The answer or None, the error or None, and how many tries before
        it are in doubt."""
        doubts = 0
        for _ in range(TRIES_MAX):
            try:
                answer = getattr(self._stubs[self._at], method)(
                    request, metadata=self._metadata, timeout=60)
                return answer, None, doubts
            except grpc.RpcError as error:
                if error.code() not in IN_DOUBT:
                    return None, error, doubts
                doubts += 1
                self._at = (self._at + 1) % len(self._stubs)
        raise AssertionError(f"{method}: no engine answers")


class Person:
    """One of the crowd, at their turns."""

    def __init__(self, who, wire, rng, ledger_lock, ledger):
        self.who = who
        self._wire = wire
        self.rng = rng
        self._lock = ledger_lock
        self._ledger = ledger

    def look(self, memo_id):
        answer, error, _ = self._wire.call(
            "GetDecisionMemo",
            harness.decision_service_pb2.GetDecisionMemoRequest(id=memo_id))
        if error is not None:
            raise error
        return answer.decision_memo

    def _note(self, verb, memo, answer, doubts, status="", edited=""):
        act = checker.Act(verb, self.who.user_id, memo.id, memo.revision,
                          memo.payload_sha256, answer, doubts > 0, edited,
                          status.removeprefix("INTENT_STATUS_"))
        with self._lock:
            self._ledger.acts.append(act)

    def _do(self, verb, memo, method, request, edited=""):
        answer, error, doubts = self._wire.call(method, request)
        if error is not None:
            self._note(verb, memo, reason_of(error), doubts, edited=edited)
            return None
        status = harness.intent_pb2.IntentStatus.Name(answer.intent.status)
        self._note(verb, memo, "ACKNOWLEDGED", doubts, status, edited)
        return answer

    def approve(self, memo):
        return self._do("APPROVE", memo, "ApproveDecisionMemo",
                        harness.decision_service_pb2.ApproveDecisionMemoRequest(
                            id=memo.id, revision=memo.revision,
                            payload_sha256=memo.payload_sha256))

    def reject(self, memo):
        return self._do("REJECT", memo, "RejectDecisionMemo",
                        harness.decision_service_pb2.RejectDecisionMemoRequest(
                            id=memo.id, revision=memo.revision,
                            payload_sha256=memo.payload_sha256,
                            comment=f"{self.who.role} says no"))

    def edit(self, memo):
        # No two edits make the same, so that each is known by its hash.
        payload = f'{{"text": "{self.rng.getrandbits(64):x}"}}'
        spend = self.rng.choices((BIG, SMALL, HUGE), (8, 1, 1))[0]
        intent_type = memo.intent_type
        if self.rng.random() < 0.2:
            intent_type = self.rng.choice(TYPES)
        return self._do("EDIT", memo, "EditDecisionMemo",
                        harness.decision_service_pb2.EditDecisionMemoRequest(
                            id=memo.id, revision=memo.revision,
                            payload_sha256=memo.payload_sha256,
                            comment="better so", intent_type=intent_type,
                            payload=payload, spend_micros_usd=spend),
                        edited=sha256(payload))

    def approve_batch(self, memos):
        request = harness.decision_service_pb2.BatchApproveDecisionMemosRequest(
            reason_code={"POST": "POSTS", "WIRE": "WIRES",
                         "FILING": "FILINGS"}[memos[0].intent_type])
        for memo in memos:
            request.items.add(id=memo.id, revision=memo.revision,
                              payload_sha256=memo.payload_sha256)
        answer, error, doubts = self._wire.call("BatchApproveDecisionMemos",
                                                request)
        if error is not None:
            raise error
        for memo, result in zip(memos, answer.results, strict=True):
            status = harness.intent_pb2.IntentStatus.Name(result.intent.status)
            is_done = result.status.code == 0
            self._note("APPROVE", memo,
                       "ACKNOWLEDGED" if is_done else result.status.reason,
                       doubts, status if is_done else "")

    def take_turn(self, kind, memo_ids):
        """One turn of a kind of person, on one memo or a batch."""
        memos = [self.look(memo_id) for memo_id in memo_ids]
        if kind == "approver":
            self.approve(memos[0])
        elif kind == "editor":
            self.edit(memos[0])
        elif kind == "rejecter":
            self.reject(memos[0])
        else:
            self.approve_batch(memos)


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
        self._channels = [
            grpc.insecure_channel(address, (
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 500)))
            for address in [server.ready["address"]] +
            [engine.address for engine in self.engines]]

    def close(self):
        for channel in self._channels:
            channel.close()
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
                request_id=request_id, spend_micros_usd=BIG)
            self.ledger.submissions[request_id] = intent.id
            memo_ids.append(intent.decision_memo_id)
        return memo_ids

    def _person(self, number):
        who = self._crowd.people[number]
        return Person(who, Wire(self._channels, number, who.token),
                      random.Random(self._rng.getrandbits(64)), self._lock,
                      self.ledger)

    def _hurry(self, number, person, kind, memo_ids, turns, start):
        """A person's part in a wave; ends early for nothing but a failure."""
        size = BATCH if kind == "batcher" else 1
        # Of the agent that is the person's own.
        own = memo_ids[number % crowd.AGENTS::crowd.AGENTS]
        start.wait()
        for _ in range(TURNS[kind]):
            is_own = number in crowd.BARRED and person.rng.random() < 0.5
            person.take_turn(
                kind, person.rng.sample(own if is_own else memo_ids, size))
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
        turns = Turns()
        start = threading.Barrier(len(kinds))
        failures = []

        def run(number, person, kind):
            try:
                self._hurry(number, person, kind, memo_ids, turns, start)
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
                person = self._person(number)
                memo = person.look(memo_id)
                if memo.status != harness.intent_pb2.MEMO_STATUS_PROPOSED:
                    break
                person.approve(memo)

    def query(self, sql):
        """One text, past all row security."""
        url = self._server.ready["direct_url"].replace(
            "//intent_owner@", "//postgres@")
        result = subprocess.run(
            ["/usr/bin/psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-d", url, "-c", sql],
            capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        return result.stdout.strip()


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
        cls.snapshot = checker.read(cls.race.query)

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
