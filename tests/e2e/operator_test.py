"""Proves the operator's command line: the kill switch thrown over gRPC and, with
no server left, on the database; lists that say what is off and since when; a
list of tokens without their secrets.
"""
import os
import subprocess
import unittest

from tests.e2e import harness


class OperatorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def _run(self, *args, code=0, principal=None, **env):
        """Runs intentctl over gRPC; returns what it printed."""
        flags = []
        if principal:
            flags = ["--address", self.server.ready["address"],
                     "--token", self.server.ready["tokens"][principal]]
        result = subprocess.run(
            [str(harness.INTENTCTL), *flags, *args], capture_output=True,
            text=True, check=False, env={**os.environ, **env})
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stdout + result.stderr

    def test_switches_over_grpc(self):
        told = self._run("off", "--tenant", "demo", "--agent", "Atlas",
                         "--reason", "buys lamps", principal="operator")
        self.assertRegex(told, r"^OFF  agent Atlas of tenant demo  since "
                               r"20\d\d-\S+Z  by operator:\S+  buys lamps\n$")
        self.assertEqual(self._run("switches", principal="operator"), told)
        self.assertIn("reason: PLATFORM_OPERATORS_ONLY", self._run(
            "off", "--reason", "x", principal="operator", code=1))
        self.assertIn("OFF  the platform",
                      self._run("off", "--reason", "x", principal="platform"))
        self._run("on", "--reason", "y", principal="platform")
        self._run("on", "--agent", "Atlas", "--reason", "z",
                  principal="operator")
        self.assertEqual(self._run("switches", principal="platform"),
                         "nothing is off\n")
        self.assertIn("on   the platform", self._run(
            "switches", "--all", principal="platform"))
        self._run("off", principal="operator", code=2)  # No reason.

    def test_switches_without_a_server(self):
        url = self.server.ready["direct_url"]
        told = self._run("off", "--tenant", "demo", "--reason", "smoke",
                         "--direct", "--direct-url", url)
        self.assertRegex(told, r"^OFF  tenant demo  since \S+Z  by sql:\S+  "
                               r"smoke\n$")
        self.assertEqual(self._run("switches", "--direct", DIRECT_URL=url),
                         told)
        self.assertIn("on   agent Atlas of tenant demo", self._run(
            "on", "--tenant", "demo", "--agent", "Atlas", "--reason", "x",
            "--direct", "--direct-url", url))
        self.assertIn("no agent `Nobody`", self._run(
            "on", "--tenant", "demo", "--agent", "Nobody", "--reason", "x",
            "--direct", "--direct-url", url, code=1))
        self._run("on", "--tenant", "demo", "--reason", "out", "--direct",
                  "--direct-url", url)
        self.assertEqual(self.server.query(
            "SELECT string_agg(meta ->> 'reason', ',' ORDER BY created_at) "
            "FROM audit_log WHERE action = 'KILL_SWITCH_SET' "
            "AND actor_external_id LIKE 'sql:%'"), [["smoke,x,out"]])

    def test_tokens_are_listed_without_secrets(self):
        told = self._run("tokens", "list", principal="operator")
        self.assertRegex(told, r"(?m)^\S{36}  AGENT  dev agent  until ")
        for token in self.server.ready["tokens"].values():
            self.assertNotIn(token, told)


if __name__ == "__main__":
    unittest.main()
