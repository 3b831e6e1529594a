"""Proves `sgl lsp` as an editor meets it: the real binary, over its pipes."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.lsp.client import SGL, Editor, apply, covered, find

POLICY = """policy demo version 1
default allow

// Types that need a named person.
const REGULATED = {BANK_TRANSFER, "email.send"}
const UNUSED_PATTERN = /x+/
// Money moves.
def large = intent.spend > $100

intent * { workflow: string? }
intent BANK_TRANSFER {
  // Where the money goes.
  to_account: string
  memo: string?  // Free text.
  lines: list<{ sku: string, amount: usd }>?
  "cost-center": string?
}
intent "email.send" { to: string, subject: string }

review REGULATED_ACTION "spend of ${intent.spend}" on REGULATED
  when large
review MEMO on BANK_TRANSFER
  when (payload.memo ?? "") == "🙂" and not large
block MANY_LINES on BANK_TRANSFER
  when has payload.lines and any line in payload.lines: line.amount > $5
block RAW on BANK_TRANSFER when payload.to_account matches UNUSED_PATTERN
"""

BROKEN = POLICY.replace("payload.to_account matches",
                        "payload.to_acount matches")


class LspTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name).resolve() / "demo.sgl"
        self.uri = self.path.as_uri()
        self.editor = Editor()
        self.addCleanup(self.editor.close)

    def open(self, text=POLICY):
        self.path.write_text(text)
        self.editor.start()
        self.editor.open(self.uri, text)
        return self.editor.diagnostics(self.uri, 1)

    def at(self, marked, text=POLICY, **more):
        return {"textDocument": {"uri": self.uri},
                "position": find(text, marked), **more}

    def hover(self, marked):
        result = self.editor.result("textDocument/hover", self.at(marked))
        return None if result is None else result["contents"]["value"]

    def labels(self, text, marked, version):
        self.editor.change(self.uri, text, version)
        result = self.editor.result("textDocument/completion",
                                    self.at(marked, text))
        return [item["label"] for item in result["items"]]

    # The life of the server.

    def test_states_what_it_can_and_ends_with_0(self):
        result = self.editor.start()
        self.assertEqual(result["serverInfo"]["name"], "sgl")
        self.assertEqual(result["capabilities"]["textDocumentSync"]["change"],
                         2)
        self.assertEqual(self.editor.finish(), 0)

    def test_exit_without_shutdown_gives_1(self):
        self.editor.start()
        self.editor.notify("exit")
        self.assertEqual(self.editor.wait(), 1)

    def test_end_of_input_gives_1(self):
        self.editor.start()
        self.editor.process.stdin.close()
        self.assertEqual(self.editor.process.wait(timeout=60), 1)

    def test_requests_out_of_order_get_errors(self):
        reply = self.editor.ask("textDocument/hover")
        self.assertEqual(reply["error"]["code"], -32002)
        self.editor.start()
        reply = self.editor.ask("initialize")
        self.assertEqual(reply["error"]["code"], -32600)
        reply = self.editor.ask("textDocument/semanticTokens/full")
        self.assertEqual(reply["error"]["code"], -32601)
        reply = self.editor.ask("textDocument/hover")
        self.assertEqual(reply["error"]["code"], -32602)
        reply = self.editor.ask("textDocument/hover", self.at("|large ="))
        self.assertIn("is not open", reply["error"]["message"])
        self.editor.result("shutdown")
        reply = self.editor.ask("textDocument/hover", self.at("|large ="))
        self.assertEqual(reply["error"]["code"], -32600)
        self.editor.notify("exit")
        self.assertEqual(self.editor.wait(), 0)

    # Frames.

    def test_body_that_is_no_message_gets_an_error_and_service_goes_on(self):
        bodies = [b"{", b"", b"[]", b"7", b"null", b'"x"', b'{"id": 1}',
                  b'{"id": {}, "method": "shutdown"}',
                  b'{"id": 1.5, "method": "shutdown"}', b"\xff\xfe",
                  b"[" * 100000, b'{"id": 1, "method": 5}',
                  b'"\\ud800"', b'{"method": "x", "method": 1}']
        for body in bodies:
            self.editor.send_bytes(
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            reply = self.editor.receive()
            self.assertIn(reply["error"]["code"], (-32700, -32600), body[:40])
        self.editor.start()
        self.assertEqual(self.editor.finish(), 0)

    def test_params_of_any_shape_do_no_harm(self):
        self.open()
        shapes = [None, 1, [], "x", {"textDocument": 1},
                  {"textDocument": {"uri": 5}},
                  {"textDocument": {"uri": self.uri}, "position": []},
                  {"textDocument": {"uri": self.uri},
                   "position": {"line": "x", "character": 1.5}},
                  {"textDocument": {"uri": self.uri},
                   "position": {"line": 2 ** 64 - 1, "character": -2 ** 63}},
                  {"textDocument": {"uri": self.uri}, "newName": 5,
                   "position": {"line": -5, "character": 2 ** 63}},
                  {"textDocument": {"uri": "%%%"}, "contentChanges": [5]},
                  {"textDocument": {"uri": self.uri}, "contentChanges": []}]
        methods = ["hover", "definition", "references", "documentSymbol",
                   "completion", "formatting", "prepareRename", "rename"]
        for shape in shapes:
            for method in methods:
                self.editor.last_id += 1
                self.editor.send({"id": self.editor.last_id, "params": shape,
                                  "method": "textDocument/" + method})
            for method in ("didOpen", "didChange", "didClose", "didSave"):
                if shape and "contentChanges" in str(shape):
                    self.editor.send({"params": shape,
                                      "method": "textDocument/" + method})
            self.editor.send({"params": shape, "method": "$/unknown"})
        self.assertEqual(self.editor.finish(), 0)

    def test_frame_without_length_ends_the_server(self):
        for header in (b"Content-Type: x\r\n\r\n", b"Content-Length: -1\r\n\r\n",
                       b"Content-Length: 1e3\r\n\r\n", b"nonsense\r\n\r\n",
                       b"Content-Length: 99999999999999999999999\r\n\r\n",
                       b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                       b"x" * 10000):
            editor = Editor()
            self.addCleanup(editor.close)
            editor.send_bytes(header)
            self.assertEqual(editor.receive()["error"]["code"], -32700)
            self.assertEqual(editor.wait(), 1)

    def test_message_beyond_the_bound_is_skipped(self):
        length = (128 << 20) + 1
        self.editor.send_bytes(b"Content-Length: %d\r\n\r\n" % length)
        block = b" " * (1 << 20)
        for _ in range(length // len(block)):
            self.editor.send_bytes(block)
        self.editor.send_bytes(b" " * (length % len(block)))
        self.assertIn("was skipped", self.editor.receive()["error"]["message"])
        self.editor.start()
        self.assertEqual(self.editor.finish(), 0)

    def test_frames_may_come_in_pieces_and_together(self):
        body = b'{"jsonrpc":"2.0","id":7,"method":"x"}'
        frame = b"content-length:%d\r\nContent-Type: y\r\n\r\n%s" % (
            len(body), body)
        for i in range(len(frame)):
            self.editor.send_bytes(frame[i:i + 1])
        self.editor.send_bytes(frame + frame)
        for _ in range(3):
            self.assertEqual(self.editor.receive()["id"], 7)

    # Diagnostics.

    def test_diagnostics_are_those_of_check(self):
        found = self.open(BROKEN)
        checked = subprocess.run([SGL, "check", self.folder.name],
                                 capture_output=True, text=True, check=False)
        lines = re.findall(r"^.*demo\.sgl:(\d+):(\d+): (\w+): (.*) \[(\w+)\]$",
                           checked.stdout, re.MULTILINE)
        severities = {1: "error", 2: "warning"}
        self.assertEqual(
            [(str(one["range"]["start"]["line"] + 1),
              severities[one["severity"]],
              one["message"].split("\n")[0], one["code"]) for one in found],
            [(line, severity, message, kind)
             for line, _, severity, message, kind in lines])
        typo = [one for one in found if one["code"] == "UnknownPayloadField"]
        self.assertEqual(len(typo), 1, found)
        self.assertEqual(covered(BROKEN, typo[0]["range"]), "to_acount")
        self.assertIn("help: did you mean `to_account`?", typo[0]["message"])

    def test_fixing_a_file_clears_its_diagnostics(self):
        self.assertNotEqual(self.open(BROKEN), [])
        self.editor.change(self.uri, POLICY, 2)
        self.assertEqual(self.editor.diagnostics(self.uri, 2), [])

    def test_ranges_count_utf16_units(self):
        text = POLICY.replace('"🙂" and not large', '"🙂" and not huge')
        found = [one for one in self.open(text) if one["severity"] == 1]
        self.assertEqual(covered(text, found[0]["range"]), "huge")

    def test_carriage_returns_end_lines(self):
        text = BROKEN.replace("\n", "\r\n")
        found = [one for one in self.open(text) if one["severity"] == 1]
        self.assertEqual(covered(text, found[0]["range"]), "to_acount")

    def test_notes_point_to_their_place(self):
        text = POLICY + "const REGULATED = 1\n"
        found = [one for one in self.open(text)
                 if one["code"] == "DuplicateName"]
        related = found[0]["relatedInformation"][0]
        self.assertEqual(related["location"]["uri"], self.uri)
        self.assertEqual(covered(text, related["location"]["range"]),
                         "REGULATED")

    def test_declarations_of_the_folder_are_shared_and_buffers_win(self):
        other = self.path.with_name("types.sgl")
        other.write_text("policy types version 1\n"
                         "intent SHIPMENT { weight: int }\n")
        text = ("policy demo version 1\ndefault allow\n"
                "block HEAVY on SHIPMENT when payload.weight > 10\n")
        self.assertEqual(self.open(text), [])
        self.editor.open(other.as_uri(), "policy types version 1\n"
                         "intent SHIPMENT { mass: int }\n", 5)
        while True:
            self.editor.receive()
            found = self.editor.published[self.uri]["diagnostics"]
            if found:
                break
        self.assertEqual(found[0]["code"], "UnknownPayloadField")
        self.editor.notify("textDocument/didClose",
                           {"textDocument": {"uri": other.as_uri()}})
        while self.editor.published[self.uri]["diagnostics"]:
            self.editor.receive()

    def test_closing_clears(self):
        self.assertNotEqual(self.open(BROKEN), [])
        self.editor.notify("textDocument/didClose",
                           {"textDocument": {"uri": self.uri}})
        while self.editor.published[self.uri]["diagnostics"]:
            self.editor.receive()

    def test_unsaved_and_oddly_named_buffers(self):
        self.editor.start()
        self.editor.open("untitled:Untitled-1", BROKEN)
        found = self.editor.diagnostics("untitled:Untitled-1", 1)
        self.assertEqual([one["code"] for one in found],
                         ["UnknownPayloadField"])
        odd = self.path.with_name("a b%20ü#.sgl").as_uri()
        self.editor.open(odd, BROKEN)
        self.assertEqual(len(self.editor.diagnostics(odd, 1)), 1)

    def test_ten_thousand_rules(self):
        rules = "".join(
            "block R%d on BANK_TRANSFER when payload.to_account == \"%d\"\n"
            % (i, i) for i in range(10000))
        self.assertEqual(self.open(POLICY + rules), [])
        text = POLICY + rules + "block LAST when payload.nothing == 1\n"
        for version in range(2, 12):
            self.editor.change(self.uri, text, version)
        found = self.editor.diagnostics(self.uri, 11)
        self.assertEqual([one["code"] for one in found],
                         ["UnknownPayloadField"])

    # Hover and definitions.

    def test_hover_shows_declarations_types_and_comments(self):
        self.open()
        for marked, wanted in [
                ("payload.me|mo", ["memo: string?", "of `BANK_TRANSFER`",
                                   "Free text."]),
                ("payload.to_account| matches", ["to_account: string",
                                                 "Where the money goes."]),
                ("on REGU|LATED", ['const REGULATED = {BANK_TRANSFER, '
                                   '"email.send"}',
                                   "Types that need a named person."]),
                ("when lar|ge\n", ["def large = intent.spend > $100",
                                   "Money moves."]),
                ("MEMO on BANK_|TRANSFER", ["intent BANK_TRANSFER {",
                                            "  memo: string?"]),
                ('"email.|send" {', ['intent "email.send" {']),
                ("lines: li|ne.amount", ["`line` is an element of",
                                         "lines: list<"]),
                ("line.amo|unt", ["amount: usd", "of `BANK_TRANSFER.lines`"]),
                ("= intent.sp|end", ["intent.spend: usd"]),
                ("${intent.sp|end}", ["intent.spend: usd"]),
                ("|has payload", ["whether an optional field"]),
                ("|default allow", ["where no rule applies"])]:
            with self.subTest(marked):
                text = self.hover(marked)
                self.assertIsNotNone(text)
                for part in wanted:
                    self.assertIn(part, text)
        self.assertIsNone(self.hover("|$100"))
        self.assertIsNone(self.hover("// Types that| need"))

    def test_answers_everywhere_in_files_with_mistakes(self):
        self.open()
        version = 1
        for cut in range(0, len(POLICY), 97):
            text = POLICY[:cut] + "{" + POLICY[cut + 5:]
            for broken in (text, POLICY[:cut]):
                version += 1
                self.editor.change(self.uri, broken, version)
                for number, line in enumerate(broken.split("\n")):
                    for method in ("hover", "completion", "definition"):
                        self.editor.result("textDocument/" + method, {
                            "textDocument": {"uri": self.uri},
                            "position": {"line": number,
                                         "character": 2 * len(line) // 3}})

    def test_definition_leads_to_the_declaration(self):
        self.open()
        for marked, declared in [
                ("on REGU|LATED", "const |REGULATED"),
                ("not |large", "def |large"),
                ("MEMO on BANK_|TRANSFER", "intent |BANK_TRANSFER"),
                ("payload.memo| ??", "  |memo: string?"),
                ("line.amou|nt", "sku: string, |amount"),
                ("lines: |line.", "any |line in"),
                ('BANK_TRANSFER, "email|', 'intent |"email.send"')]:
            with self.subTest(marked):
                result = self.editor.result("textDocument/definition",
                                            self.at(marked))
                self.assertEqual(
                    [(one["uri"], one["range"]["start"]) for one in result],
                    [(self.uri, find(POLICY, declared))])

    def test_references_and_outline(self):
        self.open()
        result = self.editor.result(
            "textDocument/references",
            self.at("def |large", context={"includeDeclaration": False}))
        self.assertEqual(len(result), 2)
        outline = self.editor.result("textDocument/documentSymbol",
                                     {"textDocument": {"uri": self.uri}})
        self.assertIn("MANY_LINES", [one["name"] for one in outline])

    # Completion.

    def test_completes_fields_of_the_rules_types(self):
        self.open()
        self.assertEqual(
            self.labels(POLICY + "block X on BANK_TRANSFER when payload.",
                        "X on BANK_TRANSFER when payload.|", 2),
            ["workflow", "to_account", "memo", "lines", "cost-center"])
        self.assertEqual(
            self.labels(POLICY + 'block X on "email.send" when payload.su',
                        "payload.su|", 3), ["workflow", "to", "subject"])
        self.assertEqual(self.labels(POLICY + "block X when payload.",
                                     "X when payload.|", 4), ["workflow"])
        self.assertEqual(
            self.labels(POLICY + "block X on REGULATED when payload.",
                        "REGULATED when payload.|", 5), ["workflow"])
        self.assertEqual(
            self.labels(POLICY + "block X on BANK_TRANSFER\n"
                        "when any l in payload.lines: l.", "l in payload."
                        "lines: l.|", 6), ["sku", "amount"])
        self.assertEqual(self.labels(POLICY + "block X when budget.",
                                     "X when budget.|", 7),
                         ["exists", "remaining", "used"])
        self.assertEqual(
            self.labels(POLICY + 'block X "of ${tenant.}" when large\n',
                        "${tenant.|}", 8), ["id", "slug", "seat"])

    def test_quoted_field_replaces_the_dot(self):
        self.open()
        text = POLICY + "block X on BANK_TRANSFER when has payload.cost"
        self.editor.change(self.uri, text, 2)
        result = self.editor.result("textDocument/completion",
                                    self.at("has payload.cost|", text))
        item = [one for one in result["items"]
                if one["label"] == "cost-center"][0]
        self.assertTrue(apply(text, [item["textEdit"]]).endswith(
            'has payload["cost-center"]'))

    def test_completes_types_words_and_codes(self):
        self.open()
        labels = self.labels(POLICY + "block X on ", "X on |", 2)
        self.assertEqual(labels, ["BANK_TRANSFER", "email.send", "REGULATED"])
        labels = self.labels(POLICY + "const MORE = {BANK", "MORE = {BANK|", 3)
        self.assertIn("BANK_TRANSFER", labels)
        self.assertIn("email.send", labels)
        labels = self.labels(POLICY + "rev", "PATTERN\nrev|", 4)
        self.assertIn("review", labels)
        self.assertIn("limit", labels)
        self.assertNotIn("agent", labels)
        labels = self.labels(POLICY + "review X ", "review X |", 5)
        self.assertEqual(labels, ["on", "when", "risk", "approvals"])
        labels = self.labels(POLICY + "review X when ", "review X when |", 6)
        for wanted in ("payload", "agent", "large", "not", "domain"):
            self.assertIn(wanted, labels)
        labels = self.labels(POLICY + "review X when large ",
                             "review X when large |", 7)
        for wanted in ("and", "or", "risk"):
            self.assertIn(wanted, labels)
        self.assertNotIn("agent", labels)
        labels = self.labels(POLICY + "intent NEW { a: ", "{ a: |", 8)
        self.assertIn("usd", labels)
        self.assertNotIn("when", labels)
        labels = self.labels(
            POLICY + 'test "x" { given {} expect review [', "review [|", 9)
        self.assertIn("MANY_LINES", labels)
        labels = self.labels(POLICY + 'test "x" { given {} expect ',
                             "expect |", 10)
        self.assertEqual(labels, ["allow", "review", "block"])
        labels = self.labels(POLICY + "review X when intent.type == ",
                             "intent.type == |", 11)
        self.assertEqual(labels[:2], ["BANK_TRANSFER", "email.send"])
        labels = self.labels(POLICY + "review X when intent.data_class == ",
                             "data_class == |", 12)
        self.assertEqual(labels[:3], ["NONE", "PII", "PHI"])

    def test_completes_limits_asserts_and_tests(self):
        self.open()
        limit = "limit L 3 per agent per 1d"
        given = 'test "x" { given { intent: { type: '
        version = 1
        for line, marked, wanted in [
                ("limit L 3 ", "L 3 |", ["of", "per"]),
                ("limit L 3 per ", "3 per |", ["agent", "tenant", "platform"]),
                ("limit L 3 per agent per ", "agent per |", []),
                (limit + " ", "1d |", ["on", "when", "else"]),
                (limit + " on BANK_TRANSFER else ", "else |",
                 ["review", "block"]),
                (limit + " else review ", "else review |",
                 ["risk", "approvals"]),
                ('assert "x" on BANK_TRANSFER: ', '"x" on BANK_TRANSFER: |',
                 ["decision"]),
                ('test "x" { ', '"x" { |', ["given", "expect"]),
                (given, "type: |", ["BANK_TRANSFER", "email.send"]),
                (given + "BANK_TRANSFER }, budget: { ", "budget: { |",
                 ["exists", "remaining", "used"]),
                ("block X when intent.type in {BANK_TRANSFER, ",
                 "in {BANK_TRANSFER, |", ["BANK_TRANSFER", "email.send"]),
                ("default ", "\ndefault |", ["allow", "review", "block"])]:
            version += 1
            text = POLICY.replace("default allow\n", "") + line
            labels = self.labels(text, marked, version)
            self.assertEqual(labels, wanted, line)

    def test_no_candidates_in_comments_and_texts(self):
        self.open()
        self.assertEqual(self.labels(POLICY + "// on ", "// on |", 2), [])
        self.assertEqual(self.labels(POLICY + 'block X "on " when large\n',
                                     '"on |"', 3), [])

    # Formatting and renaming.

    def test_formats_as_fmt_does(self):
        text = POLICY.replace("  when large", "     when   large").replace(
            "intent * {", "\n\n\nintent * {")
        self.open(text)
        edits = self.editor.result(
            "textDocument/formatting",
            {"textDocument": {"uri": self.uri}, "options": {"tabSize": 2}})
        wanted = subprocess.run([SGL, "fmt", str(self.path)], text=True,
                                capture_output=True, check=True).stdout
        self.assertEqual(apply(text, edits), wanted)
        self.editor.change(self.uri, wanted, 2)
        self.assertEqual(self.editor.result(
            "textDocument/formatting",
            {"textDocument": {"uri": self.uri}, "options": {}}), [])
        self.editor.change(self.uri, wanted + "block\n", 3)
        self.assertIsNone(self.editor.result(
            "textDocument/formatting",
            {"textDocument": {"uri": self.uri}, "options": {}}))

    def test_renames_every_use(self):
        self.open()
        ready = self.editor.result("textDocument/prepareRename",
                                   self.at("not lar|ge"))
        self.assertEqual(ready["placeholder"], "large")
        result = self.editor.result("textDocument/rename",
                                    self.at("not lar|ge", newName="huge"))
        renamed = apply(POLICY, result["changes"][self.uri])
        self.assertEqual(renamed, re.sub(r"\blarge\b", "huge", POLICY))
        self.editor.change(self.uri, renamed, 2)
        self.assertEqual(self.editor.diagnostics(self.uri, 2), [])
        result = self.editor.result(
            "textDocument/rename",
            {"textDocument": {"uri": self.uri}, "newName": "WATCHED",
             "position": find(renamed, "on REG|ULATED")})
        self.assertEqual(len(result["changes"][self.uri]), 2)

    def test_refuses_names_that_clash(self):
        self.open()
        for name, reason in [("REGULATED", "it is a const of this file"),
                             ("BANK_TRANSFER", "it is an intent type"),
                             ("line", "it is a bound name"),
                             ("payload", "it is a word of the language"),
                             ("two words", "a name has letters"),
                             ("9x", "a name has letters"), ("", "a name has")]:
            with self.subTest(name):
                reply = self.editor.ask("textDocument/rename",
                                        self.at("not lar|ge", newName=name))
                self.assertIn(reason, reply["error"]["message"])
        for marked in ("payload.me|mo", "on BANK_|TRANSFER when has", "|$100"):
            if marked.startswith("on"):
                marked = "MEMO on BANK_|TRANSFER"
            reply = self.editor.ask("textDocument/prepareRename",
                                    self.at(marked))
            self.assertEqual(reply["error"]["message"],
                             "only a const or a def can be renamed")

    def test_refuses_to_rename_in_a_file_that_does_not_parse(self):
        text = POLICY + "block X when large ==\n"
        self.open(text)
        reply = self.editor.ask(
            "textDocument/rename",
            self.at("def lar|ge", text, newName="huge"))
        self.assertIn("syntax errors", reply["error"]["message"])


if __name__ == "__main__":
    unittest.main()
