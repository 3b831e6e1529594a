"""Proves that the server keeps the text that the editor shows, whatever way it
is told of changes, and what it does with files that can't be read in full:
ranges in UTF-16 units, CRLF, mistakes in the middle, formatting and renames
that are refused."""

import pathlib
import random
import tempfile
import unittest

from tests.lsp.client import Editor, covered, find

POLICY = """policy demo version 1
default allow
// Größe: 🙂
const LIMIT = 10
def heavy = intent.spend > $5
intent SHIPMENT { weight: int, note: string? }
block ONE "🙂 größer" on SHIPMENT when payload.weight > LIMIT and not heavy
block TWO on SHIPMENT when payload.weight == 0
"""


class DocumentsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name).resolve() / "demo.sgl"
        self.uri = self.path.as_uri()
        self.editor = Editor()
        self.addCleanup(self.editor.close)
        self.version = 1

    def open(self, text):
        self.editor.start()
        self.editor.open(self.uri, text)

    def edit(self, *changes):
        """Sends changes: (from, to, text) as positions, or a whole text."""
        self.version += 1
        self.editor.notify("textDocument/didChange", {
            "textDocument": {"uri": self.uri, "version": self.version},
            "contentChanges": [
                {"text": change} if isinstance(change, str) else
                {"range": {"start": change[0], "end": change[1]},
                 "text": change[2]} for change in changes]})

    def found(self):
        return self.editor.diagnostics(self.uri, self.version)

    def kinds(self):
        return [one["code"] for one in self.found()]

    def ask(self, method, text, marked, **more):
        return self.editor.ask("textDocument/" + method, {
            "textDocument": {"uri": self.uri},
            "position": find(text, marked), **more})

    def labels(self, text, marked):
        self.edit(text)
        return [item["label"] for item in self.ask(
            "completion", text, marked)["result"]["items"]]

    # Changes.

    def test_changes_of_ranges_behind_text_that_is_not_ascii(self):
        self.open(POLICY)
        self.assertEqual(self.kinds(), [])
        start = find(POLICY, "SHIPMENT when payload.|weight > ")
        end = {"line": start["line"], "character": start["character"] + 6}
        self.edit((start, end, "wieght"))
        found = self.found()
        self.assertEqual([one["code"] for one in found],
                         ["UnknownPayloadField"])
        self.assertEqual(found[0]["range"], {"start": start, "end": end})
        self.edit((start, end, "weight"))
        self.assertEqual(self.kinds(), [])

    def test_changes_of_one_message_build_on_each_other(self):
        self.open("")
        first = {"line": 0, "character": 0}
        self.edit((first, first, "default allow\n"),
                  (first, first, "policy 🙂"),
                  ({"line": 0, "character": 7}, {"line": 0, "character": 9},
                   "demo version 1\n"))
        self.assertEqual(self.kinds(), [])
        self.edit("nonsense", POLICY)
        self.assertEqual(self.kinds(), [])

    def test_random_edits_keep_the_text(self):
        seed = random.randrange(2 ** 32)
        print("seed", seed)
        dice = random.Random(seed)
        text = POLICY
        self.open(text)
        pieces = ["", "x", "ü", "🙂", "\r\n", "\n", "\r", "block\n", '"', "// "]

        def place(at):
            before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
            line = before.count("\n")
            tail = before[before.rfind("\n") + 1:]
            return {"line": line,
                    "character": len(tail.encode("utf-16-le")) // 2}

        for _ in range(300):
            begin = dice.randrange(len(text) + 1)
            end = min(len(text), begin + dice.choice([0, 0, 1, 2, 9]))
            # A place between the two halves of a line's end has no name.
            if text[begin - 1:begin + 1] == "\r\n" or (
                    text[end - 1:end + 1] == "\r\n"):
                continue
            piece = dice.choice(pieces)
            self.edit((place(begin), place(end), piece))
            text = text[:begin] + piece + text[end:]
        found = self.found()
        self.edit(text)
        self.assertEqual(self.found(), found)

    def test_changes_that_are_none_leave_the_text(self):
        self.open(POLICY)
        self.assertEqual(self.kinds(), [])
        for change in (5, {}, {"range": 3, "text": "x"},
                       {"range": {"start": {"line": 0}}, "text": "x"}):
            self.editor.notify("textDocument/didChange", {
                "textDocument": {"uri": self.uri, "version": 9},
                "contentChanges": [{"text": "broken"}, change]})
        self.edit((find(POLICY, "|policy"), find(POLICY, "|policy"), "//\n"))
        self.assertEqual(self.kinds(), [])

    def test_crlf_counts_as_one_end_of_line(self):
        text = POLICY.replace("\n", "\r\n")
        self.open(text)
        self.assertEqual(self.kinds(), [])
        end = find(text, "payload.weight == 0|")
        self.edit((end, end, " or payload.wieght == 1"))
        found = self.found()
        changed = text.replace("== 0", "== 0 or payload.wieght == 1")
        self.assertEqual([covered(changed, one["range"]) for one in found],
                         ["wieght"])
        # The end of a line, taken away, joins two.
        self.edit(text)
        self.edit((find(text, "// Größe: 🙂|"), find(text, "|const"), " "))
        self.assertIn("UnknownName", self.kinds())

    # Requests that go nowhere.

    def test_what_is_unknown_or_cancelled_does_no_harm(self):
        self.open(POLICY)
        reply = self.ask("moniker", POLICY, "def |heavy")
        self.assertEqual(reply["error"]["code"], -32601)
        reply = self.editor.ask("$/nothing")
        self.assertEqual(reply["error"]["code"], -32601)
        self.editor.notify("$/cancelRequest", {"id": 12345})
        self.editor.notify("$/setTrace", {"value": "verbose"})
        self.editor.notify("workspace/didChangeConfiguration",
                           {"settings": None})
        self.editor.send({"id": 77, "method": "textDocument/hover", "params": {
            "textDocument": {"uri": self.uri},
            "position": find(POLICY, "def |heavy")}})
        self.editor.notify("$/cancelRequest", {"id": 77})
        message = self.editor.receive()
        while message.get("id") != 77:
            message = self.editor.receive()
        # Each request has one answer, cancelled or not.
        self.assertTrue("result" in message or
                        message["error"]["code"] == -32800)
        self.assertEqual(self.editor.finish(), 0)

    # Files with mistakes.

    def test_a_mistake_in_the_middle_leaves_the_rest_usable(self):
        text = POLICY.replace(
            "block TWO", "block MID on when ((( payload.\nblock TWO")
        self.open(text)
        self.assertNotEqual(self.kinds(), [])
        for marked, part in [("payload.wei|ght == 0", "weight: int"),
                             ("and not hea|vy", "intent.spend > $5"),
                             ("> LIM|IT", "const LIMIT = 10"),
                             ("TWO on SHIP|MENT", "note: string?")]:
            hover = self.ask("hover", text, marked)["result"]
            self.assertIn(part, hover["contents"]["value"], marked)
        result = self.ask("definition", text, "payload.wei|ght == 0")["result"]
        self.assertEqual([one["range"]["start"] for one in result],
                         [find(text, "{ |weight")])
        more = text + "block LAST on SHIPMENT when payload."
        self.assertEqual(self.labels(more, "LAST on SHIPMENT when payload.|"),
                         ["weight", "note"])

    def test_what_does_not_parse_is_not_formatted_and_says_so(self):
        text = POLICY + "block  THREE   when (\n"
        self.open(text)
        self.assertIsNone(self.editor.result("textDocument/formatting", {
            "textDocument": {"uri": self.uri}, "options": {}}))
        self.assertEqual(len(self.editor.shown), 1)
        self.assertRegex(self.editor.shown[0],
                         r"^`demo\.sgl` was not formatted: line \d+: expected")
        self.edit(POLICY)
        self.assertEqual(len(self.editor.result("textDocument/formatting", {
            "textDocument": {"uri": self.uri}, "options": {}})), 1)
        self.assertEqual(len(self.editor.shown), 1)

    def test_a_rename_that_collides_is_refused(self):
        self.open(POLICY)
        for name, reason in [
                ("LIMIT", "it is a const of this file"),
                ("SHIPMENT", "it is an intent type"),
                ("agent", "it is a word of the language")]:
            reply = self.ask("rename", POLICY, "def hea|vy", newName=name)
            self.assertEqual(
                reply["error"]["message"],
                "can't rename `heavy` to `%s`: %s" % (name, reason))

    # Hover and completion.

    def test_hover_on_functions_roots_and_their_fields(self):
        text = POLICY + (
            'block THREE on SHIPMENT when hour(now, "Europe/Berlin") == 3 and '
            'agent.tier > 1 and connected("google")\n')
        self.open(text)
        for marked, part in [("when ho|ur(", "hour(t: timestamp"),
                             ("agent.ti|er", "int"),
                             ("and ag|ent.", "agent"),
                             ("(no|w,", "timestamp"),
                             ("conn|ected(", "connected(")]:
            hover = self.ask("hover", text, marked)["result"]
            self.assertIsNotNone(hover, marked)
            self.assertIn(part, hover["contents"]["value"], marked)

    def test_completes_time_zones_and_roles(self):
        self.open(POLICY)
        for call, marked in [('hour(now, "', 'hour(now, "|'),
                             ('weekday(now, "Eur")', 'now, "Eur|")')]:
            labels = self.labels(POLICY + "block X when " + call, marked)
            self.assertIn("Europe/Berlin", labels)
            self.assertIn("UTC", labels)
            self.assertNotIn("SHIPMENT", labels)
        text = (POLICY + 'review A when heavy approvals 1 from legal, "the '
                'board"\nreview B when heavy approvals 1 from ')
        self.assertEqual(self.labels(text, "B when heavy approvals 1 from |"),
                         ["legal", "the board"])


if __name__ == "__main__":
    unittest.main()
