"""Proves that bad input gets a clear error that names the place, and that
nothing is lost or half done: after every refusal the tables hold what they
held before, and the next good intent is served.
"""
import pathlib
import subprocess
import tempfile
import unittest

import grpc

from tests.e2e import harness
from tests.e2e.harness import intent_pb2

SGL = "tools/sgl/sgl"
GOOD = {"to": ["a@b.c"], "subject": "s", "body": "b"}
NO_STAR = """\
policy strict.platform version 1
layer platform
default allow
intent EMAIL_SEND { to: list<string>, subject: string, body: string }
"""
FIVE_ERRORS = """\
policy broken.platform version 1
layer platform
default allow
const LIMIT = $1.0000001
intent EMAIL_SEND { to: list<string>, subject: string, note: string? }
block TYPO on EMAIL_SEND when payload.subjct == "x"
block TYPES when intent.spend > 5
block GUARD on EMAIL_SEND when payload.note == "x"
block SYNTAX on EMAIL_SEND when payload.subject ==
"""


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        policy = pathlib.Path(cls.folder.name) / "strict.sgl"
        policy.write_text(NO_STAR)
        cls._context = harness.dev_server(policy=policy)
        cls.server = cls._context.__enter__()
        cls.agent = cls.server.client("agent")

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)
        cls.folder.cleanup()

    def rows(self):
        return self.server.query(
            "SELECT (SELECT count(*) FROM intents), "
            "(SELECT count(*) FROM decision_memos), "
            "(SELECT count(*) FROM audit_log)")

    def assert_refused(self, code, reason, words, payload, client=None,
                       **fields):
        before = self.rows()
        with self.assertRaises(grpc.RpcError) as refused:
            (client or self.agent).submit("EMAIL_SEND", payload, **fields)
        error = refused.exception
        self.assertEqual(error.code(), code, error.details())
        for word in words:
            self.assertIn(word, error.details())
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        self.assertIn(b"google.rpc.ErrorInfo", details)
        self.assertIn(b"intent-engine", details)
        self.assertIn(reason.encode(), details)
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            self.assertIn(b"google.rpc.BadRequest", details)
        self.assertEqual(self.rows(), before)
        self.assertEqual(self.agent.submit("EMAIL_SEND", GOOD).status,
                         intent_pb2.INTENT_STATUS_EXECUTED)

    def test_payload_that_is_no_json_object(self):
        for payload in ("[1]", "5", "null", "", "{", "{'a': 1}", "NaN",
                        '{"a": NaN}', '{"a": 1} {}'):
            with self.subTest(payload):
                self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT,
                                    "BAD_REQUEST", ["payload"], payload)

    def test_payload_of_10_mib(self):
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST",
            ["payload", "256 KiB"], '{"a": "' + "x" * (10 << 20) + '"}')

    def test_8000_numbers_that_expand_to_a_gigabyte(self):
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", ["payload"],
            '{"a": [' + ",".join(["1e131071"] * 8000) + "]}")

    def test_nul_in_a_string(self):
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST",
            ["payload", "\\u0000"], '{"a": "x\\u0000y"}')

    def test_negative_spend(self):
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST",
            ["spend_micros_usd"], GOOD, spend_micros_usd=-1)

    def test_request_id_that_is_no_uuid(self):
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST",
            ["request_id"], GOOD, request_id="once")

    def test_malformed_tokens(self):
        for token in ("nonsense", "x" * 5000, "iet_" + "A" * 43):
            with self.subTest(token[:10]):
                self.assert_refused(
                    grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED",
                    ["token"], GOOD, client=self.server.client_with(token))

    def test_unknown_type_without_a_star_is_blocked(self):
        intent = self.agent.submit("LAUNCH_ROCKET", {})
        self.assertEqual(intent.status, intent_pb2.INTENT_STATUS_BLOCKED_SGL)
        self.assertEqual([r.code for r in intent.decision.reasons],
                         ["UNKNOWN_INTENT_TYPE"])

    def test_duplicate_key_is_decided_invalid(self):
        intent = self.agent.submit(
            "EMAIL_SEND",
            '{"to": [], "to": ["a"], "subject": "s", "body": "b"}')
        self.assertEqual(intent.status, intent_pb2.INTENT_STATUS_BLOCKED_SGL)
        reason = intent.decision.reasons[0]
        self.assertEqual(reason.code, "INVALID_PAYLOAD")
        self.assertEqual([v.field for v in reason.field_violations],
                         ["payload.to"])

    def test_unreadable_row_from_sql_fails_alone(self):
        tenant, agent = self.server.query(
            "SELECT tenant_id, id FROM agent_registry WHERE name = 'Atlas'")[0]
        numbers = ",".join(["1e131071"] * 8000)
        insert = ("INSERT INTO intents (tenant_id, agent_id, intent_type, "
                  f"payload) VALUES ('{tenant}', '{agent}', 'EMAIL_SEND', "
                  "'%s') RETURNING id")
        bad = self.server.query(insert % ('{"a": [' + numbers + "]}"))[0][0]
        good = self.server.query(
            insert % '{"to": ["a"], "subject": "s", "body": "b"}')[0][0]
        self.agent.submit("EMAIL_SEND", GOOD)
        self.assertEqual(
            self.server.query("SELECT status, failure_reason FROM intents "
                              f"WHERE id = '{bad}'"),
            [["FAILED", "PAYLOAD_UNREADABLE"]])
        self.assertEqual(self.agent.get_intent(good).status,
                         intent_pb2.INTENT_STATUS_EXECUTED)

    def test_policy_with_five_errors_shows_them_all(self):
        policy = pathlib.Path(self.folder.name) / "broken.sgl"
        policy.write_text(FIVE_ERRORS)
        check = subprocess.run([SGL, "check", str(policy)],
                               capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 1)
        text = check.stdout + check.stderr
        lines = text.split("\n")
        errors = [i for i, line in enumerate(lines) if ": error: " in line]
        self.assertEqual(
            [int(lines[i].split(".sgl:")[1].split(":")[0]) for i in errors],
            [4, 6, 7, 8, 9], text)
        for i in errors:
            column = int(lines[i].split(".sgl:")[1].split(":")[1])
            source = FIVE_ERRORS.split("\n")[
                int(lines[i].split(".sgl:")[1].split(":")[0]) - 1]
            indent = lines[i + 1].index(source)
            self.assertEqual(lines[i + 2].index("^"), indent + column - 1,
                             text)
        served = subprocess.run(
            [harness.INTENTD, "dev", "--data-dir",
             self.folder.name + "/unused", "--policy", str(policy)],
            capture_output=True, text=True, check=False)
        self.assertNotEqual(served.returncode, 0)
        self.assertEqual(served.stderr.count(": error: "), 5, served.stderr)


if __name__ == "__main__":
    unittest.main()
