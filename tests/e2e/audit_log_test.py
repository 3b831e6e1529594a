"""Proves what an auditor does by hand: lists the log, verifies it through the
server, on the database and from an export with nothing but a key, and reads off
the exit status whether it is intact (0), tampered with (1) or can't be told
(2). The tampering is done as a superuser who turns every trigger off.
"""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import unittest

from tests.e2e import harness

POST = {"channel": "linkedin", "text": "We are live."}
# Verdicts asked for until the sealer was there; each takes a while.
TRIES_MAX = 400


class AuditLogTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()
        cls.addClassCleanup(cls._context.__exit__, None, None, None)
        data = cls.server.folder / "data"
        cls.key = data / "audit-key.pem"
        cls.heads = data / "audit-heads.jsonl"
        cls.intent = cls.server.client("agent").submit("SOCIAL_POST", POST)

    def run_audit(self, *args, code=0, principal="operator"):
        """Runs a verb through the server; returns what it printed."""
        return self.run_bare(
            *args, "--address", self.server.ready["address"],
            "--token", self.server.ready["tokens"][principal], code=code)

    def run_bare(self, *args, code=0):
        result = subprocess.run(
            [str(harness.INTENTCTL), "audit", *map(str, args)],
            capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(result.returncode, code,
                         result.stdout + result.stderr)
        return result.stdout + result.stderr

    def direct(self):
        return ("--direct-url", self.server.ready["direct_url"],
                "--tenant", "demo")

    def outside(self):
        """What an auditor keeps: heads and the key that signs them."""
        return "--heads", self.heads, "--public-key", self.key

    def await_sealed(self):
        for _ in range(TRIES_MAX):
            verdict = json.loads(self.run_audit("verify", "--json"))
            if verdict["unsealed_count"] == 0 and verdict["sealed_count"] > 0:
                return verdict
        raise AssertionError(f"not sealed: {verdict}")

    def export(self, name):
        folder = self.server.folder / name
        told = self.run_bare("export", *self.direct(), "--out", folder)
        self.assertRegex(told, r"^log \S{36}: \d+ entries in 1 segments; "
                               r"0 not sealed yet\n$")
        return folder

    def tamper(self, sql):
        url = self.server.ready["direct_url"].replace("intent_owner@",
                                                      "postgres@")
        subprocess.run(
            ["/usr/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url,
             "-c", "SET session_replication_role = replica; " + sql],
            check=True)

    def test_list(self):
        entries = [json.loads(line) for line in self.run_audit(
            "list", "--entity", self.intent.id, "--json").splitlines()]
        self.assertEqual([one["transition_number"] for one in entries],
                         ["3", "2", "1"])
        self.assertEqual({one["entity_id"] for one in entries},
                         {self.intent.id})
        told = self.run_audit("list", "--action", "SGL_EVALUATED",
                              "--count", "1")
        self.assertRegex(told, r"^20\d\d-\S+Z  INFO      SGL_EVALUATED +"
                               r"intent \S{36}\n$")
        self.assertIn("--level takes", self.run_audit(
            "list", "--level", "LOUD", code=2))
        self.assertIn("--since takes", self.run_audit(
            "list", "--since", "yesterday", code=2))
        self.assertIn("not allowed", self.run_audit(
            "list", principal="agent", code=1))

    def test_the_platforms_log_is_the_platforms(self):
        self.assertIn("PLATFORM_ONLY",
                      self.run_audit("list", "--platform", code=1))
        self.run_audit("list", "--platform", principal="platform")
        self.run_audit("verify", "--platform", code=2)

    def test_verify_through_the_server(self):
        self.await_sealed()
        told = self.run_audit("verify", *self.outside())
        self.assertRegex(told, r"(?m)^signatures: good for the first \d+ "
                               r"entries$")
        self.assertRegex(told, r"(?m)^head from outside: the log agrees up to "
                               r"entry [1-9]\d*$")
        self.assertTrue(told.endswith("\nintact\n"), told)

    def test_verify_where_nothing_can_be_told(self):
        self.run_bare("verify", "--address", "127.0.0.1:1", "--token", "x",
                      code=2)
        self.run_bare("verify", "--export", "/nowhere", code=2)
        self.run_bare("verify", "--direct-url",
                      self.server.ready["direct_url"], code=2)
        self.assertIn("heads.jsonl", self.run_audit(
            "verify", "--heads", "/nowhere/heads.jsonl", code=2))

    def test_a_key_that_did_not_sign(self):
        self.await_sealed()
        path = self.server.folder / "other.pem"
        told = self.run_bare("keygen", "--out", path)
        self.assertIn("-----BEGIN PUBLIC KEY-----", told)
        self.assertRegex(told, r"(?m)^key [0-9a-f]{32}; the public half is")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        before = path.read_bytes()
        self.assertIn("is there already",
                      self.run_bare("keygen", "--out", path, code=1))
        self.assertEqual(path.read_bytes(), before)
        self.assertIn("not signed by a key that was given", self.run_audit(
            "verify", "--public-key", path, code=1))
        self.run_bare("verify", *self.direct(), "--public-key", path, code=1)

    def test_export_and_verify_without_a_server(self):
        self.await_sealed()
        folder = self.export("export")
        self.assertTrue(self.run_bare("verify", "--export", folder,
                                      *self.outside()).endswith("\nintact\n"))
        self.run_bare("export", *self.direct(), "--out", folder, code=1)
        changed = self.server.folder / "changed"
        shutil.copytree(folder, changed)
        segment = pathlib.Path(changed / "segment-000001.jsonl")
        text = segment.read_text()
        self.assertIn('"SGL_EVALUATED"', text)
        segment.write_text(text.replace('"SGL_EVALUATED"', '"SGL_EVALUATEd"'))
        verdict = json.loads(self.run_bare(
            "verify", "--export", changed, *self.outside(), "--json", code=1))
        self.assertEqual(verdict["verdict"], "TAMPERED")
        self.assertEqual(verdict["findings"][0]["kind"], "CHANGED")
        (changed / "log.json").unlink()
        self.run_bare("verify", "--export", changed, code=2)

    def test_tampering_is_found_each_way(self):
        self.await_sealed()
        where = (f"WHERE entity_id = '{self.intent.id}' "
                 "AND action = 'SGL_EVALUATED'")
        entry = self.server.query(f"SELECT id FROM audit_log {where}")[0][0]
        self.tamper(f"UPDATE audit_log SET level = 'warn' {where}")
        try:
            for told in (self.run_audit("verify", code=1),
                         self.run_bare("verify", *self.direct(), code=1)):
                self.assertRegex(told, r"(?m)^TAMPERED: .*" + entry)
                self.assertTrue(told.endswith("\ntampered with\n"), told)
        finally:
            self.tamper(f"UPDATE audit_log SET level = 'info' {where}")
        self.run_bare("verify", *self.direct(), *self.outside())

    def test_a_log_that_lost_its_end(self):
        # Entries and seals agree: only a head from outside tells.
        self.await_sealed()
        kept = self.server.folder / "kept.jsonl"
        shutil.copy(self.heads, kept)
        log = "(SELECT id FROM tenants WHERE slug = 'demo')"
        self.tamper(
            f"CREATE TABLE lost_seals AS SELECT * FROM audit_seals AS s "
            f"WHERE s.log_id = {log} AND s.first_sequence = (SELECT "
            f"max(first_sequence) FROM audit_seals WHERE log_id = {log}); "
            "CREATE TABLE lost_entries AS SELECT * FROM audit_log WHERE id IN "
            "(SELECT unnest(entry_ids) FROM lost_seals); "
            "DELETE FROM audit_seals AS s USING lost_seals AS l "
            "WHERE (s.log_id, s.first_sequence) = (l.log_id, "
            "l.first_sequence); "
            "DELETE FROM audit_log WHERE id IN (SELECT id FROM lost_entries)")
        try:
            outside = "--heads", kept, "--public-key", self.key
            for told in (self.run_audit("verify", *outside, code=1),
                         self.run_bare("verify", *self.direct(), *outside,
                                       code=1)):
                self.assertIn("TAMPERED", told)
        finally:
            columns = self.server.query(
                "SELECT string_agg(quote_ident(attname), ',') FROM "
                "pg_attribute WHERE attrelid = 'audit_seals'::regclass AND "
                "attnum > 0 AND attgenerated = ''")[0][0]
            self.tamper(
                "INSERT INTO audit_log SELECT * FROM lost_entries; "
                f"INSERT INTO audit_seals ({columns}) SELECT {columns} "
                "FROM lost_seals; DROP TABLE lost_seals, lost_entries")
        self.run_bare("verify", *self.direct(), *self.outside())


if __name__ == "__main__":
    unittest.main()
