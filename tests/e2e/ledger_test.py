"""Proves what operators see of money: a budget as it is drawn on, and a check of
the ledger that fits until somebody reaches past the engine, and then names the
intent.
"""
import json
import subprocess
import unittest

from tests.e2e import harness

POST = {"channel": "linkedin", "text": "We are live."}
EXECUTORS = 'spends { intent_type: "SOCIAL_POST" category: "api_spend" }\n'


class LedgerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server(executors=EXECUTORS)
        cls.server = cls._context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def run_verb(self, *args, code=0):
        result = subprocess.run(
            [str(harness.INTENTCTL), *args, "--tenant", "demo",
             "--direct-url", self.server.ready["direct_url"]],
            capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stdout + result.stderr

    def test_what_operators_see(self):
        self.server.query(
            "INSERT INTO budgets (tenant_id, name, category, limit_cents, "
            "period_days) SELECT id, 'posts', 'api_spend', 1000, 30 "
            "FROM tenants WHERE slug = 'demo'")
        agent = self.server.client("agent")
        paid = agent.submit("SOCIAL_POST", POST, spend_micros_usd=7_500_001)
        refused = agent.submit("SOCIAL_POST", POST, spend_micros_usd=2_500_000)
        self.assertEqual(refused.failure_reason, "BUDGET_EXCEEDED")

        self.assertRegex(
            self.run_verb("budgets", "list"),
            r"^posts \(api_spend\): \$2\.499999 left of \$10; committed "
            r"\$7\.500001, reserved \$0; 20\S+Z to 20\S+Z\n$")
        budget = json.loads(self.run_verb("budgets", "list", "--json"))
        self.assertEqual(budget["remaining_micros_usd"], 2_499_999)
        self.assertEqual(
            self.run_verb("ledger", "check"),
            "api_spend: 1 intents spend $7.500001; reserved $0, committed "
            "$7.500001, entered $7.500001 in 1 entries\nthe ledger fits\n")
        verdict = json.loads(self.run_verb("ledger", "check", "--json"))
        self.assertTrue(verdict["fits"])
        self.assertEqual(verdict["categories"][0]["entries_cents"], 751)

        tenant = self.server.query("SELECT tenant_id FROM budgets")[0][0]
        self.server.query(
            f"SET intent.tenants = '{{{tenant}}}'; "
            "ALTER TABLE ledger_entries DISABLE TRIGGER USER; "
            "DELETE FROM ledger_entries; "
            "ALTER TABLE ledger_entries ENABLE TRIGGER USER")
        self.assertEqual(
            self.run_verb("ledger", "check", code=1),
            "api_spend: 1 intents spend $7.500001; reserved $0, committed "
            "$7.500001, entered $0 in 0 entries: this doesn't add up\n"
            f"intent {paid.id}: its committed spend is not in the ledger\n"
            "the ledger doesn't fit\n")
        verdict = json.loads(self.run_verb("ledger", "check", "--json", code=1))
        self.assertFalse(verdict["fits"])
        self.assertEqual(verdict["problems"], [
            {"intent_id": paid.id,
             "problem": "its committed spend is not in the ledger"}])

    def test_a_tenant_that_is_not_there(self):
        result = subprocess.run(
            [str(harness.INTENTCTL), "ledger", "check", "--tenant", "nobody",
             "--direct-url", self.server.ready["direct_url"]],
            capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("check the ledger", result.stderr)


if __name__ == "__main__":
    unittest.main()
