"""Proves that a client nobody here wrote can use the interface: Python's stock
grpcio, stubs generated from proto/, against the shipped server. Submits,
approves, is refused, is answered the same twice.
"""
import unittest
import uuid

import grpc

from tests.e2e import harness
from tests.e2e.harness import intent_pb2


class PythonClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server(no_executor="SMS_SEND")
        cls.server = cls._context.__enter__()
        cls.agent = cls.server.client("agent")
        cls.approver = cls.server.client("approver")

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def test_submits_and_approves_the_memo(self):
        intent = self.agent.submit(
            "SOCIAL_POST", {"channel": "x", "text": "hello"},
            spend_micros_usd=300_000_000, title="Boost")
        self.assertEqual(intent.status,
                         intent_pb2.INTENT_STATUS_AWAITING_HUMAN)
        self.assertEqual(intent.decision.kind,
                         intent_pb2.DECISION_KIND_REVIEW)
        self.assertEqual([r.code for r in intent.decision.reasons],
                         ["SPEND_THRESHOLD"])
        memo = self.approver.get_memo(intent.decision_memo_id)
        self.assertEqual(memo.intent_id, intent.id)
        self.assertEqual(memo.title, "Boost")
        answer = self.approver.approve(memo, "fine")
        self.assertEqual(answer.intent.status,
                         intent_pb2.INTENT_STATUS_EXECUTED)
        self.assertEqual(answer.decision_memo.status,
                         intent_pb2.MEMO_STATUS_APPROVED)
        self.assertEqual(self.agent.get_intent(intent.id).status,
                         intent_pb2.INTENT_STATUS_EXECUTED)

    def test_each_final_state_is_reached(self):
        for intent_type, payload, status, reason in [
                ("EMAIL_SEND", {"to": ["a@b.c"], "subject": "s", "body": "b"},
                 intent_pb2.INTENT_STATUS_EXECUTED, ""),
                ("SMS_SEND", {"to": "+1", "body": "b"},
                 intent_pb2.INTENT_STATUS_FAILED, "NO_EXECUTOR"),
                ("BROWSER_TASK", {"url": "https://paypal.com/", "actions": []},
                 intent_pb2.INTENT_STATUS_BLOCKED_SGL, "")]:
            with self.subTest(intent_type):
                intent = self.agent.submit(intent_type, payload)
                self.assertEqual(intent.status, status)
                self.assertEqual(intent.failure_reason, reason)

    def test_a_repeat_answers_the_same_intent(self):
        request_id = str(uuid.uuid4())
        body = {"channel": "x", "text": "once"}
        first = self.agent.submit("SOCIAL_POST", body, request_id=request_id)
        again = self.agent.submit("SOCIAL_POST", body, request_id=request_id)
        self.assertEqual(first.id, again.id)
        with self.assertRaises(grpc.RpcError) as refused:
            self.agent.submit("SOCIAL_POST", {"channel": "y", "text": "two"},
                              request_id=request_id)
        self.assertEqual(refused.exception.code(),
                         grpc.StatusCode.ALREADY_EXISTS)

    def test_quorum_of_two_different_people(self):
        intent = self.agent.submit(
            "BANK_TRANSFER", {"to_account": "GB1"}, spend_micros_usd=1_000_000)
        memo = self.approver.get_memo(intent.decision_memo_id)
        first = self.approver.approve(memo)
        self.assertEqual(first.intent.status,
                         intent_pb2.INTENT_STATUS_AWAITING_HUMAN)
        with self.assertRaises(grpc.RpcError) as refused:
            self.approver.approve(memo)
        self.assertEqual(refused.exception.code(),
                         grpc.StatusCode.ALREADY_EXISTS)
        second = self.server.client("approver2").approve(memo)
        self.assertEqual(second.intent.status,
                         intent_pb2.INTENT_STATUS_EXECUTED)

    def test_an_agent_cannot_approve(self):
        intent = self.agent.submit(
            "SOCIAL_POST", {"channel": "x", "text": "t"},
            spend_micros_usd=300_000_000)
        memo = self.approver.get_memo(intent.decision_memo_id)
        with self.assertRaises(grpc.RpcError) as refused:
            self.agent.approve(memo)
        self.assertEqual(refused.exception.code(),
                         grpc.StatusCode.PERMISSION_DENIED)

    def test_a_row_from_plain_sql_is_served_like_a_submitted_one(self):
        tenant, agent = self.server.query(
            "SELECT a.tenant_id, a.id FROM agent_registry a "
            "WHERE a.name = 'Atlas' LIMIT 1")[0]
        row = self.server.query(
            "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
            f"VALUES ('{tenant}', '{agent}', 'SOCIAL_POST', "
            "'{\"channel\": \"x\", \"text\": \"t\", \"spendUsd\": 900}') "
            "RETURNING id")[0][0]
        intent = self.agent.await_decided(row)
        self.assertEqual(intent.status,
                         intent_pb2.INTENT_STATUS_AWAITING_HUMAN)
        self.assertEqual([r.code for r in intent.decision.reasons],
                         ["SPEND_THRESHOLD"])


if __name__ == "__main__":
    unittest.main()
