"""Proves invariants 1, 2 and 6 across crashes of the engine: 2,000 intents are
submitted while `intentd` is killed with SIGKILL and started again, several
times. Whatever was acknowledged is there once, each intent has exactly one
outcome, and the audit log holds each of its transitions exactly once and in
order.
"""
import collections
import concurrent.futures
import random
import threading
import unittest
import uuid

import grpc

from tests.e2e import harness

INTENTS = 2000
CLIENTS = 8
KILLS = 3
# The states' audit stories, in order (ARCHITECTURE.md).
STORIES = {
    "EXECUTED": ["INTENT_SUBMITTED", "SGL_EVALUATED",
                 "ENGINE_EXECUTED_INTENT"],
    "FAILED": ["INTENT_SUBMITTED", "SGL_EVALUATED", "ENGINE_FAILED"],
    "BLOCKED_SGL": ["INTENT_SUBMITTED", "SGL_EVALUATED"],
    "AWAITING_HUMAN": ["INTENT_SUBMITTED", "SGL_EVALUATED",
                       "DECISION_MEMO_OPENED"],
}
KINDS = [
    ("EMAIL_SEND", {"to": ["a@b.c"], "subject": "s", "body": "b"}, "EXECUTED"),
    ("SMS_SEND", {"to": "+1", "body": "b"}, "FAILED"),
    ("BROWSER_TASK", {"url": "https://paypal.com/", "actions": []},
     "BLOCKED_SGL"),
    ("BANK_TRANSFER", {"to_account": "GB1"}, "AWAITING_HUMAN"),
]


class Load:
    """Clients that submit until each of their requests is acknowledged."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = {}
        self.lock = threading.Condition()
        self.is_up = True
        self.generation = 0
        self.is_killing = True

    def submit(self, request_id, kind):
        intent_type, payload, _ = kind
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.is_up)
                generation = self.generation
                token = self.server.ready["tokens"]["agent"]
                address = self.server.ready["address"]
            client = harness.Client(address, token)
            try:
                intent = client.submit(intent_type, payload, wait=0,
                                       request_id=request_id)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE,
                                        grpc.StatusCode.UNKNOWN,
                                        grpc.StatusCode.CANCELLED):
                    raise
                with self.lock:
                    # The server is gone: go on when it is back.
                    self.lock.wait_for(
                        lambda: self.generation > generation or
                        not self.is_killing)
                continue
            finally:
                client.close()
            with self.lock:
                self.acknowledged[request_id] = intent.id
                self.lock.notify_all()
            return


class CrashTest(unittest.TestCase):
    def test_kill_9_loses_and_doubles_nothing(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        rng = random.Random(seed)
        with harness.dev_server(no_executor="SMS_SEND") as server:
            load = Load(server)
            wanted = {str(uuid.UUID(int=rng.getrandbits(128), version=4)):
                      rng.choice(KINDS) for _ in range(INTENTS)}
            kill_at = sorted(rng.sample(range(INTENTS // 10, INTENTS), KILLS))
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                futures = [pool.submit(load.submit, request_id, kind)
                           for request_id, kind in wanted.items()]
                for count in kill_at:
                    with load.lock:
                        load.lock.wait_for(
                            lambda: len(load.acknowledged) >= count)
                        load.is_up = False
                    server.kill()
                    server.start()
                    with load.lock:
                        load.is_up = True
                        load.generation += 1
                        load.lock.notify_all()
                with load.lock:
                    load.is_killing = False
                    load.lock.notify_all()
                for future in futures:
                    future.result()
            self.check(server, load, wanted)

    def check(self, server, load, wanted):
        # A repeat that waits is answered once its intent is decided.
        agent = server.client("agent")
        for request_id, (intent_type, payload, outcome) in wanted.items():
            intent = agent.submit(intent_type, payload, wait=60,
                                  request_id=request_id)
            self.assertEqual(intent.id, load.acknowledged[request_id])
            self.assertEqual(
                harness.intent_pb2.IntentStatus.Name(intent.status),
                f"INTENT_STATUS_{outcome}")
        rows = server.query(
            "SELECT id, status, transition_number FROM intents")
        self.assertEqual(len(rows), INTENTS)
        self.assertEqual({row[0] for row in rows},
                         set(load.acknowledged.values()))
        entries = collections.defaultdict(list)
        for entity, number, action in server.query(
                "SELECT entity_id, transition_number, action FROM audit_log "
                "WHERE entity_type = 'intent' "
                "ORDER BY entity_id, transition_number"):
            entries[entity].append((int(number), action))
        for intent_id, status, transitions in rows:
            numbers = [number for number, _ in entries[intent_id]]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertEqual(int(transitions), len(numbers))
            self.assertEqual([action for _, action in entries[intent_id]],
                             STORIES[status])
        memos = server.query(
            "SELECT count(*), count(DISTINCT intent_id) FROM decision_memos")
        awaiting = sum(1 for row in rows if row[1] == "AWAITING_HUMAN")
        self.assertEqual(memos, [[str(awaiting), str(awaiting)]])


if __name__ == "__main__":
    unittest.main()
