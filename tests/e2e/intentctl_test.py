"""Proves what people do by hand against a running engine: a dry run that says
why, and watches that follow changes and resume where they stood.
"""
import json
import subprocess
import tempfile
import unittest

from tests.e2e import harness

POST = {"channel": "linkedin", "text": "We are live."}


class IntentctlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()
        cls.agent = cls.server.ready["tokens"]["agent"]

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def run_verb(self, *args, token=None):
        return subprocess.run(
            [str(harness.INTENTCTL), *args,
             "--address", self.server.ready["address"],
             "--token", token or self.agent],
            capture_output=True, text=True, check=False, timeout=60)

    def lines(self, *args):
        result = self.run_verb(*args, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def submit(self, *args):
        return self.lines("intents", "submit", "--type", "SOCIAL_POST",
                          "--payload", json.dumps(POST), *args)[0]

    def count(self):
        return self.server.query("SELECT count(*) FROM intents")

    def test_evaluate_says_why_and_stores_nothing(self):
        before = self.count()
        result = self.run_verb(
            "intents", "evaluate", "--type", "SOCIAL_POST", "--payload",
            json.dumps(POST), "--spend-usd", "300")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("REVIEW", result.stdout)
        self.assertIn("intent.spend >= $250", result.stdout)
        self.assertIn("$300", result.stdout)
        self.assertEqual(self.count(), before)

    def test_evaluate_as_json_holds_the_whole_answer(self):
        answer = self.lines(
            "intents", "evaluate", "--type", "SOCIAL_POST", "--payload",
            json.dumps(POST), "--spend-usd", "300")[0]
        self.assertEqual(answer["decision"]["kind"], "DECISION_KIND_REVIEW")
        self.assertTrue(answer["explanation"]["rules"])

    def test_evaluate_refuses_what_submit_refuses(self):
        result = self.run_verb("intents", "evaluate", "--type", "SOCIAL_POST",
                               "--payload", "[1]")
        self.assertEqual(result.returncode, 1)
        self.assertIn("payload", result.stderr)

    def test_a_watch_resumes_where_it_stood(self):
        first = self.submit()["id"]
        seen = {}
        for line in self.lines("intents", "watch", "--existing", "--type",
                               "SOCIAL_POST", "--count",
                               self.server.query(
                                   "SELECT count(*) FROM intents WHERE "
                                   "intent_type = 'SOCIAL_POST'")[0][0]):
            seen[line["intent"]["id"]] = line
        self.assertIn(first, seen)
        cursor = line["cursor"]
        second = self.submit()["id"]
        third = self.submit("--spend-usd", "300")["id"]
        after = self.lines("intents", "watch", "--type", "SOCIAL_POST",
                           "--cursor", cursor, "--count", "2")
        self.assertEqual({one["intent"]["id"] for one in after},
                         {second, third})

    def test_executors_are_listed_without_a_server(self):
        with tempfile.NamedTemporaryFile("w", suffix=".textproto") as file:
            file.write("executors { intent_type: 'POST' record {} }")
            file.flush()
            run = lambda *args: subprocess.run(
                [str(harness.INTENTCTL), "executors", "list", "--executors",
                 file.name, *args],
                capture_output=True, text=True, check=True, timeout=60).stdout
            text = run()
            lines = [json.loads(line) for line in run("--json").splitlines()]
        self.assertIn("\nPOST record\n", text)
        self.assertIn(
            "TICKET_COMMENT effect { ticket_id: string, body: string }\n",
            text)
        comment, = (line for line in lines
                    if line["intent_type"] == "TICKET_COMMENT")
        self.assertEqual(comment, {
            "intent_type": "TICKET_COMMENT", "kind": "effect",
            "summary": "Comments on a ticket in the agent's name.",
            "payload": "{ ticket_id: string, body: string }",
            "output": ["comment_id"]})
        self.assertIn({"intent_type": "POST", "kind": "record"}, lines)

    def test_memos_come_with_what_they_wait_for(self):
        intent = self.submit("--spend-usd", "300")
        memos = self.lines("memos", "watch", "--existing", "--status",
                           "PROPOSED", "--count", "1")
        self.assertEqual(memos[0]["decision_memo"]["status"],
                         "MEMO_STATUS_PROPOSED")
        self.assertTrue(intent["decision_memo_id"])

    def test_a_cursor_of_another_watch_is_refused(self):
        self.submit()
        line = self.lines("intents", "watch", "--existing", "--count", "1")[0]
        result = self.run_verb("intents", "watch", "--type", "OTHER",
                               "--cursor", line["cursor"])
        self.assertEqual(result.returncode, 1)
        self.assertIn("cursor", result.stderr)


if __name__ == "__main__":
    unittest.main()
