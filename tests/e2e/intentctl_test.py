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

    def test_what_effects_wrote_is_listed_got_and_searched(self):
        self.within_tenant(
            "INSERT INTO tickets (tenant_id, title, severity) VALUES "
            "($TENANT, 'It hangs', 'HIGH'); INSERT INTO kb_documents "
            "(tenant_id, title, slug, body, status) VALUES "
            "($TENANT, 'Refunds', 'refunds', 'How refunds work', "
            "'published'); INSERT INTO ledger_entries (tenant_id, entry_type, "
            "category, amount_cents) VALUES ($TENANT, 'debit', 'refund', "
            "1205)")
        ticket, = self.lines("tickets", "list", "--status", "open")
        self.assertEqual(ticket["title"], "It hangs")
        self.assertEqual(self.lines("tickets", "list", "--status", "CLOSED"),
                         [])
        shown = self.run_verb("tickets", "get", ticket["id"])
        self.assertIn("severity     HIGH\n", shown.stdout)
        self.assertEqual(self.lines("tickets", "comments", ticket["id"]), [])
        found, = self.lines("documents", "search", "refunding works")
        self.assertEqual(found["slug"], "refunds")
        self.assertIn("**refunds** **work**", found["snippet"])
        got, = self.lines("documents", "get", "--slug", "refunds")
        self.assertEqual(got["body"], "How refunds work")
        entries = self.run_verb("ledger", "list", "--category", "refund")
        self.assertIn("DEBIT  REFUND  12.05 USD", entries.stdout)
        refused = self.run_verb("tickets", "list", "--status", "LOST")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("`LOST` is none of OPEN, TRIAGED", refused.stderr)
        for noun in "contacts", "companies", "segments":
            self.assertEqual(self.lines(noun, "list"), [])

    def within_tenant(self, statements):
        tenant = self.submit()["tenant_id"]
        self.server.query(f"SET intent.tenants = '{{{tenant}}}'; " +
                          statements.replace("$TENANT", f"'{tenant}'"))

    def test_tokens_are_sealed_and_sealed_anew(self):
        def run(*args, stdin="", check=True):
            return subprocess.run(
                [str(harness.INTENTCTL), *args], input=stdin, check=check,
                capture_output=True, text=True, timeout=60)
        direct = ("--direct-url", self.server.ready["direct_url"])
        with tempfile.TemporaryDirectory() as folder:
            old, both = f"{folder}/old.key", f"{folder}/both.key"
            lines = [run("secrets", "generate-key").stdout for _ in range(2)]
            for path, text in (old, lines[0]), (both, lines[1] + lines[0]):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            set_token = ("integrations", "set-token", "--tenant", "demo",
                         "--provider", "slack", *direct, "--secrets-key")
            refused = run(*set_token, old, stdin="xoxb-1", check=False)
            self.assertIn("INTEGRATION_CONNECT", refused.stderr)
            self.within_tenant(
                "INSERT INTO integrations (tenant_id, provider, connected) "
                "VALUES ($TENANT, 'slack', true)")
            run(*set_token, old, stdin="xoxb-1\n")
            on_line = run(*set_token, old, "--token", "xoxb-1", check=False)
            self.assertIn("others see it", on_line.stderr)
            count = lambda *args: json.loads(
                run("secrets", "rotate", "--json", "--secrets-key", *args,
                    *direct).stdout)["count"]
            self.assertEqual(count(both), 1)
            self.assertEqual(count(both), 0)
            wrong = run("secrets", "rotate", "--secrets-key", old, *direct,
                        check=False)
            self.assertEqual(wrong.returncode, 1)
            self.assertIn("sealed by the key", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
