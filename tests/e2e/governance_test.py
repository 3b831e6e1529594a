"""Proves what those who govern do by hand: check, propose, list, show and
activate rules with the votes that takes, break the glass without them, lend a
role for a time and take it back, and say who may vote when nobody did. Each
through the shipped binaries, its output and exit status compared.
"""
import json
import os
import subprocess
import unittest

from tests.e2e import harness

VERSION = """\
policy atlas.platform version 2
layer platform
default allow
intent SOCIAL_POST { channel: string, text: string }
intent SMS_SEND { to: string, body: string }
block NO_POSTS "nobody posts this week" on SOCIAL_POST
test "posts wait" {
  given { intent: { type: SOCIAL_POST, payload: { channel: "x", text: "hi" } } }
  expect block [NO_POSTS]
}
"""
LAYER = """\
policy demo.own version 1
layer tenant "demo"
block NO_SMS "demo sends no text messages" on SMS_SEND
"""
DIGEST = r"sha256:[0-9a-f]{64}"
# Looks at what is active until the engine was there.
TRIES_MAX = 400


class GovernanceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()
        cls.addClassCleanup(cls._context.__exit__, None, None, None)
        cls.tokens = dict(cls.server.ready["tokens"])
        for tenant, name in (("system", "ann"), ("system", "bob"),
                             ("system", "cy"), ("demo", "pat")):
            email = f"{name}@acme.example"
            cls.server.intentctl("members", "create", "--tenant", tenant,
                                 "--email", email, "--name", name,
                                 "--role", "policy")
            cls.tokens[name] = cls.server.intentctl(
                "tokens", "create", "--tenant", tenant,
                "--user", email)["token"]

    def run_verb(self, *args, code=0, principal=None, **env):
        """Runs intentctl; returns what it printed."""
        flags = []
        if principal:
            flags = ["--address", self.server.ready["address"],
                     "--token", self.tokens[principal]]
        result = subprocess.run(
            [str(harness.INTENTCTL), *map(str, args), *flags],
            capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, **env})
        self.assertEqual(result.returncode, code,
                         result.stdout + result.stderr)
        return result.stdout + result.stderr

    def json_of(self, *args, **options):
        return json.loads(self.run_verb(*args, "--json", **options))

    def write(self, name, text):
        path = self.server.folder / name
        path.write_text(text)
        return path

    def active(self):
        return self.json_of("policies", "show", "--platform",
                            principal="ann")["digest"]

    def test_a_version_from_file_to_active_and_back(self):
        path = self.write("v2.sgl", VERSION)
        first = self.active()
        told = self.run_verb("policies", "check", path, principal="ann")
        self.assertRegex(told, rf"^{DIGEST}\n  rules +1\n  tests +1, 0 failed")
        told = self.run_verb("policies", "propose", path, "--description",
                             "no posts this week", principal="ann")
        self.assertRegex(told, rf"^platform's policy {DIGEST}\n")
        self.assertIn("no posts this week", told)
        digest = told.split()[2]
        self.assertIn("stored before", self.run_verb(
            "policies", "propose", path, principal="ann"))
        rows = self.run_verb("policies", "list", principal="bob").splitlines()
        self.assertRegex(rows[0], rf"^{digest}          20\S+Z  ann: no "
                                  r"posts this week$")
        self.assertRegex(rows[1], rf"^{first}  active  20")
        told = self.run_verb("policies", "show", digest, "--sources",
                             principal="bob")
        self.assertRegex(told, r"(?m)^  file .*/v2\.sgl, \d+ bytes$")
        self.assertIn('\nblock NO_POSTS "nobody posts this week"', told)
        self.assertNotIn("active", told)

        asked = self.json_of("policies", "activate", digest, "--rationale",
                             "as agreed", principal="ann")
        memo = asked["intent"]["decision_memo_id"]
        self.run_verb("memos", "approve", memo, principal="ann", code=1)
        self.run_verb("memos", "approve", memo, principal="bob")
        self.assertEqual(self.active(), first)
        self.run_verb("memos", "approve", memo, principal="cy")
        for _ in range(TRIES_MAX):
            if self.active() == digest:
                break
        self.assertRegex(self.run_verb("policies", "show", principal="ann"),
                         r"(?m)^  active +since 20\S+Z, by ")
        self.assertEqual(self.server.query(
            "SELECT count(*) FROM intents WHERE id = "
            f"'{asked['intent']['id']}' AND status = 'EXECUTED'"), [["1"]])

        self.break_glass(first)

    def break_glass(self, digest):
        url = self.server.ready["direct_url"]
        verb = "policies", "activate", digest, "--break-glass"
        self.run_verb(*verb, code=2, DIRECT_URL=url)
        self.run_verb(*verb, "--reason", "x", code=2)
        self.assertIn("there is no version", self.run_verb(
            "policies", "activate", "sha256:" + "0" * 64, "--break-glass",
            "--reason", "x", "--direct-url", url, code=1))
        told = self.run_verb(*verb, "--reason", "rule blocks payroll",
                             DIRECT_URL=url)
        self.assertEqual(told, f"{digest} is active; the audit log holds that "
                               "and why\n")
        self.assertEqual(self.active(), digest)
        self.assertEqual(self.server.query(
            "SELECT level, meta ->> 'reason' FROM audit_log "
            "WHERE action = 'POLICY_ACTIVATED' "
            "AND (meta ->> 'break_glass')::boolean"),
            [["security", "rule blocks payroll"]])

    def test_what_does_not_compile_is_shown_with_carets(self):
        path = self.write("bad.sgl", VERSION.replace("on SOCIAL_POST\ntest",
                                                     "on SOCIAL_PSOT\ntest"))
        told = self.run_verb("policies", "check", path, principal="ann",
                             code=1)
        self.assertRegex(told, r"bad\.sgl:6:\d+: error: .*`SOCIAL_PSOT`")
        self.assertIn("^~~~", told)
        path = self.write("failing.sgl", VERSION.replace("expect block [NO_POSTS]",
                                                         "expect allow"))
        told = self.run_verb("policies", "check", path, principal="ann",
                             code=1)
        self.assertIn('"posts wait": expected ', told)
        self.run_verb("policies", "check", "/nowhere.sgl", principal="ann",
                      code=1)
        self.assertIn("not allowed", self.run_verb(
            "policies", "propose", path, principal="agent", code=1))

    def test_a_tenants_layer(self):
        path = self.write("demo.sgl", LAYER)
        digest = self.json_of("policies", "propose", "--tenant", path,
                              principal="pat")["policy"]["digest"]
        told = self.run_verb("policies", "activate", "--tenant", digest,
                             principal="pat")
        self.assertRegex(told, rf"^tenant's layer {digest}\n")
        self.assertRegex(told, r"(?m)^  active +since 20")
        self.assertRegex(self.run_verb("policies", "list", "--tenant",
                                       principal="pat"),
                         rf"^{digest}  active  20")

    def test_roles_are_lent_and_taken_back(self):
        told = self.run_verb(
            "delegations", "create", "--to", "approver2@demo.example",
            "--role", "privacy", "--days", "14", "--reason", "on holiday",
            principal="approver")
        self.assertIn("privacy", told)
        self.assertIn("on holiday", told)
        self.assertEqual(told, self.run_verb(
            "delegations", "list", "--in-force", principal="approver2"))
        row = self.json_of("delegations", "list", principal="approver")
        self.assertEqual(row["roles"], ["privacy"])
        self.run_verb("delegations", "revoke", row["id"],
                      principal="approver2", code=1)
        self.run_verb("delegations", "revoke", row["id"],
                      principal="approver")
        self.assertEqual("", self.run_verb(
            "delegations", "list", "--in-force", principal="approver"))
        self.run_verb("delegations", "create", "--to", "nobody@demo.example",
                      "--days", "1", "--reason", "x", principal="approver",
                      code=1)
        self.run_verb("delegations", "create", "--to", "a@b.example",
                      "--reason", "x", principal="approver", code=2)

    def test_who_may_vote_when_nobody_did(self):
        url = {"DIRECT_URL": self.server.ready["direct_url"]}
        roles = "--tenant", "demo", "--from", "compliance", "--to", "owner"
        self.assertEqual(
            self.run_verb("escalations", "set", *roles, "--after", "4h", **url),
            "demands for compliance accept owner when nobody voted for 4h\n")
        self.assertEqual(
            self.run_verb("escalations", "list", "--tenant", "demo", **url),
            "compliance -> owner after 4h\n")
        self.assertIn("is no duration", self.run_verb(
            "escalations", "set", *roles, "--after", "soon", code=1, **url))
        self.assertIn("no tenant `nobody`", self.run_verb(
            "escalations", "list", "--tenant", "nobody", code=1, **url))
        self.run_verb("escalations", "remove", *roles, **url)
        self.assertEqual("", self.run_verb(
            "escalations", "list", "--tenant", "demo", **url))

    def test_who_there_is(self):
        told = self.run_verb("tenants", "list", principal="platform")
        self.assertRegex(told, r"(?m)^\S{36}  demo  free_beta  Demo$")
        self.assertIn("not allowed", self.run_verb(
            "tenants", "list", principal="operator", code=1))
        told = self.run_verb("agents", "list", principal="operator")
        self.assertRegex(told, r"^\S{36}  Atlas  executor  active  tier \d+\n$")
        told = self.run_verb("members", "list", principal="operator")
        self.assertRegex(told, r"(?m)^\S{36}  approver@demo\.example  "
                               r"compliance  privacy$")
        self.assertNotIn("ann@acme.example", told)
        told = self.run_verb("members", "list", "--tenant", "system",
                             principal="platform")
        self.assertRegex(told, r"(?m)^\S{36}  ann@acme\.example  policy$")
        self.run_verb("tokens", "create", "--tenant", "demo", "--worker", "w",
                      "--days", "366", "--direct-url",
                      self.server.ready["direct_url"], code=2)


if __name__ == "__main__":
    unittest.main()
