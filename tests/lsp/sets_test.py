"""Proves which files the server takes as one policy set: folders with folders
below them, several sets in one workspace, files of no workspace, and buffers
that are saved nowhere yet. Each set shows in its diagnostics, which are those
of `sgl check` on its top folder."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.lsp.client import SGL, Editor, find

PLATFORM = ("policy demo version 1\ndefault allow\n"
            "intent SHIPMENT { weight: int }\n"
            "block EMPTY on SHIPMENT when payload.weight == 0\n")
TENANT = ('policy demo.acme version 1\nlayer tenant "acme"\n'
          "block HEAVY on SHIPMENT when payload.weight > 10\n")
PART = ("policy demo.rules version 1\n"
        "block HEAVY on SHIPMENT when payload.weight > 10\n")


def kinds(diagnostics):
    return None if diagnostics is None else [
        one["code"] for one in diagnostics]


class SetsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()
        self.editor = Editor()
        self.addCleanup(self.editor.close)

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def open(self, path, text=None):
        self.editor.open(path.as_uri(),
                         path.read_text() if text is None else text)

    def kinds(self, path):
        return kinds(self.editor.settled(path.as_uri()))

    def test_folders_below_belong_to_the_set_as_for_check(self):
        self.write("policies/platform.sgl", PLATFORM)
        tenant = self.write("policies/tenants/acme/rules.sgl", TENANT)
        checked = subprocess.run([SGL, "check", str(self.top / "policies")],
                                 check=False)
        self.assertEqual(checked.returncode, 0)
        self.editor.start(folders=[self.top])
        self.open(tenant)
        self.assertEqual(self.kinds(tenant), [])
        text = tenant.read_text()
        result = self.editor.result("textDocument/definition", {
            "textDocument": {"uri": tenant.as_uri()},
            "position": find(text, "payload.wei|ght")})
        self.assertEqual([one["uri"] for one in result],
                         [(self.top / "policies/platform.sgl").as_uri()])
        hover = self.editor.result("textDocument/hover", {
            "textDocument": {"uri": tenant.as_uri()},
            "position": find(text, "on SHIP|MENT")})
        self.assertIn("weight: int", hover["contents"]["value"])

    def test_a_mistake_shows_in_a_file_of_a_folder_below(self):
        platform = self.write("platform.sgl", PLATFORM)
        tenant = self.write("tenants/acme.sgl", TENANT)
        self.editor.start(folders=[self.top])
        self.open(platform)
        self.assertEqual(self.kinds(platform), [])
        self.editor.change(platform.as_uri(),
                           PLATFORM.replace("weight", "mass"), 2)
        self.assertEqual(self.kinds(tenant), ["UnknownPayloadField"])
        self.editor.change(platform.as_uri(), PLATFORM, 3)
        self.assertEqual(self.kinds(tenant), [])

    def test_a_folder_with_its_own_default_is_a_set_of_its_own(self):
        outer = self.write("library/platform.sgl", PLATFORM)
        inner = self.write("library/starter/platform.sgl", PLATFORM)
        rules = self.write("library/starter/more/rules.sgl", PART)
        self.editor.start(folders=[self.top])
        for path in (outer, inner, rules):
            self.open(path)
        for path in (outer, inner, rules):
            self.assertEqual(self.kinds(path), [], path)

    def test_files_without_default_are_one_set_with_those_above(self):
        types = self.write("a/types.sgl", PLATFORM.replace(
            "default allow\n", ""))
        rules = self.write("a/b/rules.sgl", PART)
        apart = self.write("a/none/c/rules.sgl", PART)
        self.editor.start(folders=[self.top])
        for path in (types, rules, apart):
            self.open(path)
        # The set's warning stands in its first file.
        self.assertEqual(self.kinds(rules), ["MissingDefault"])
        self.assertEqual(self.kinds(types), [])
        self.assertIn("UnknownType", self.kinds(apart))

    def test_the_search_ends_at_the_folder_that_is_open(self):
        self.write("platform.sgl", PLATFORM)
        tenant = self.write("tenants/acme.sgl", TENANT)
        self.editor.start(folders=[self.top / "tenants"])
        self.open(tenant)
        self.assertIn("UnknownType", self.kinds(tenant))
        self.editor.notify("workspace/didChangeWorkspaceFolders", {"event": {
            "added": [{"uri": self.top.as_uri(), "name": "x"}],
            "removed": [{"uri": (self.top / "tenants").as_uri(),
                         "name": "y"}]}})
        self.assertEqual(self.kinds(tenant), [])

    def test_a_file_of_no_workspace_finds_its_set(self):
        self.write("policies/platform.sgl", PLATFORM)
        tenant = self.write("policies/tenants/acme.sgl", TENANT)
        self.editor.start()
        self.open(tenant)
        self.assertEqual(self.kinds(tenant), [])

    def test_named_roots_win(self):
        self.write("set/platform/base.sgl", PLATFORM)
        tenant = self.write("set/tenants/acme.sgl", TENANT)
        for root in ("set", "./set/", str(self.top / "set")):
            editor = Editor()
            self.addCleanup(editor.close)
            editor.start(folders=[self.top], roots=[root])
            editor.open(tenant.as_uri(), TENANT)
            self.assertEqual(kinds(editor.settled(tenant.as_uri())), [], root)
        self.editor.start(folders=[self.top])
        self.open(tenant)
        self.assertIn("UnknownType", self.kinds(tenant))

    def test_buffers_that_are_not_saved_count(self):
        tenant = self.write("tenants/acme.sgl", TENANT)
        self.editor.start(folders=[self.top])
        self.open(tenant)
        self.assertIn("UnknownType", self.kinds(tenant))
        platform = self.top / "platform.sgl"
        self.open(platform, PLATFORM)
        self.assertEqual(self.kinds(tenant), [])
        self.editor.change(platform.as_uri(), "", 2)
        self.assertIn("UnknownType", self.kinds(tenant))
        self.editor.change(platform.as_uri(), PLATFORM, 3)
        self.assertEqual(self.kinds(tenant), [])
        self.editor.notify("textDocument/didClose",
                           {"textDocument": {"uri": platform.as_uri()}})
        self.assertIn("UnknownType", self.kinds(tenant))

    def test_deleted_and_closed_files_lose_their_diagnostics(self):
        platform = self.write("platform.sgl", PLATFORM)
        broken = self.write("tenants/acme.sgl",
                            TENANT.replace("weight", "wieght"))
        self.editor.start(folders=[self.top])
        self.open(platform)
        self.assertEqual(self.kinds(broken), ["UnknownPayloadField"])
        broken.unlink()
        self.editor.notify("workspace/didChangeWatchedFiles", {
            "changes": [{"uri": broken.as_uri(), "type": 3}]})
        self.assertEqual(self.kinds(broken), [])
        self.editor.change(platform.as_uri(), PLATFORM + "block\n", 2)
        self.assertNotEqual(self.kinds(platform), [])
        self.editor.notify("textDocument/didClose",
                           {"textDocument": {"uri": platform.as_uri()}})
        self.assertEqual(self.kinds(platform), [])

    def test_asks_to_be_told_of_files_that_change(self):
        self.editor.start(watches=True)
        request = self.editor.receive()
        self.assertEqual(request["method"], "client/registerCapability")
        watch = request["params"]["registrations"][0]
        self.assertEqual(watch["method"], "workspace/didChangeWatchedFiles")
        self.assertEqual(watch["registerOptions"]["watchers"],
                         [{"globPattern": "**/*.sgl"}])
        self.editor.send({"id": request["id"], "result": None})
        self.assertEqual(self.editor.finish(), 0)

    def test_hidden_folders_and_links_in_a_circle_do_no_harm(self):
        platform = self.write("platform.sgl", PLATFORM)
        self.write(".trash/platform.sgl", PLATFORM)
        os.symlink(self.top, self.top / "again")
        self.editor.start(folders=[self.top])
        self.open(platform)
        self.assertEqual(self.kinds(platform), [])


if __name__ == "__main__":
    unittest.main()
