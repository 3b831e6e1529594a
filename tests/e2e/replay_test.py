"""Proves what people do by hand with recorded decisions: take them again, hand
their facts to `sgl eval`, and try a proposed version on them, with the exit
statuses that scripts go by.
"""
import json
import pathlib
import subprocess
import tempfile
import unittest

from tests.e2e import harness

SGL = pathlib.Path("tools/sgl/sgl")
POST = {"channel": "linkedin", "text": "We are live."}


class ReplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def run_verb(self, *args, principal="platform", code=0):
        result = subprocess.run(
            [str(harness.INTENTCTL), *args,
             "--address", self.server.ready["address"],
             "--token", self.server.ready["tokens"][principal]],
            capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, code,
                         result.stdout + result.stderr)
        return result

    def post(self):
        result = self.run_verb("intents", "submit", "--type", "SOCIAL_POST",
                               "--payload", json.dumps(POST), "--json",
                               principal="agent")
        return json.loads(result.stdout)["id"]

    def test_a_decision_is_taken_again(self):
        intent = self.post()
        told = self.run_verb("intents", "replay", intent, principal="approver")
        self.assertRegex(told.stdout, r"^same\n")
        answer = json.loads(self.run_verb("intents", "replay", intent, "--json",
                                          principal="approver").stdout)
        replay = answer["replays"][0]
        self.assertEqual(replay["recorded"], replay["replayed"])

        line = self.run_verb("intents", "replay", intent, "--request",
                             principal="approver").stdout
        evaluated = subprocess.run(
            [str(SGL), "eval", "--policy", str(harness.ATLAS)], input=line,
            capture_output=True, text=True, check=True, timeout=60)
        decision = json.loads(evaluated.stdout)
        self.assertEqual("DECISION_KIND_" + decision["decision"],
                         replay["recorded"]["kind"])
        self.assertEqual(decision["policy"], replay["recorded"]["policy_digest"])

    def test_what_cannot_be_told_is_2(self):
        missing = self.run_verb(
            "intents", "replay", "00000000-0000-4000-8000-000000000000",
            principal="approver", code=2)
        self.assertIn("INTENT_NOT_FOUND", missing.stderr)
        self.assertIn("WRONG_PRINCIPAL_KIND", self.run_verb(
            "intents", "replay", self.post(), principal="agent",
            code=2).stderr)

    def propose(self, rules):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "new.sgl"
            path.write_text(harness.ATLAS.read_text(encoding="utf-8") + rules,
                            encoding="utf-8")
            result = self.run_verb("policies", "propose", str(path), "--json")
        return json.loads(result.stdout)["policy"]

    def test_a_version_is_tried_on_what_was_decided(self):
        intent = self.post()
        same = self.propose("// nothing else\n")
        told = self.run_verb("policies", "replay", same["digest"])
        self.assertRegex(told.stdout, r"^\d+ decisions: \d+ the same, 0 change")
        self.assertIn("decisions replayed", told.stderr)

        other = self.propose("block NO_POSTS on SOCIAL_POST\n")
        told = self.run_verb("policies", "replay", other["id"], "--since", "1h",
                             "--examples", "20", code=1)
        self.assertIn("NO_POSTS (platform) applies", told.stdout)
        self.assertIn(f"    intent {intent}\n", told.stdout)
        answer = json.loads(self.run_verb(
            "policies", "replay", other["digest"], "--type", "SOCIAL_POST",
            "--json", code=1).stdout)
        self.assertTrue(answer["done"])
        self.assertEqual(answer["rules"][0]["code"], "NO_POSTS")
        self.run_verb("policies", "replay", other["digest"], "--type",
                      "SMS_SEND")
        self.run_verb("policies", "replay", "sha256:none", code=2)
        self.run_verb("policies", "replay", other["digest"], "--since",
                      "yesterday", code=2)


if __name__ == "__main__":
    unittest.main()
