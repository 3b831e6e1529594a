"""A small editor: starts `sgl lsp` and talks to it over its pipes."""

import json
import os
import queue
import subprocess
import threading

SGL = os.environ.get("SGL_BINARY", "tools/sgl/sgl")

# Generous: the machine may be busy. Nothing waits this long when all is well.
PATIENCE = 60


class Editor:
    """One server and one editor's view of it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [SGL, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        self.published = {}
        self.shown = []
        self.settled_version = 0
        self.last_id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        out = self.process.stdout
        while True:
            length = None
            while True:
                line = out.readline()
                if not line:
                    self.messages.put(None)
                    return
                if line == b"\r\n":
                    break
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    length = int(value)
            self.messages.put(json.loads(out.read(length)))

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method, params=None):
        self.send({"method": method, "params": params or {}})

    def receive(self):
        """Returns the next message; None at the end."""
        message = self.messages.get(timeout=PATIENCE)
        if message and message.get("method") == (
                "textDocument/publishDiagnostics"):
            params = message["params"]
            self.published[params["uri"]] = params
        if message and message.get("method") == "window/showMessage":
            self.shown.append(message["params"]["message"])
        return message

    def ask(self, method, params=None):
        """Sends a request and returns its whole reply."""
        self.last_id += 1
        self.send({"id": self.last_id, "method": method,
                   "params": params or {}})
        while True:
            message = self.receive()
            assert message is not None, "the server ended"
            if message.get("id") == self.last_id:
                return message

    def result(self, method, params=None):
        reply = self.ask(method, params)
        assert "error" not in reply, reply
        return reply["result"]

    def start(self, related=True, folders=(), roots=(), watches=False):
        result = self.result("initialize", {
            "processId": None, "rootUri": None,
            "workspaceFolders": [{"uri": path.as_uri(), "name": path.name}
                                 for path in folders] or None,
            "initializationOptions": {"roots": list(roots)},
            "capabilities": {
                "workspace": {"didChangeWatchedFiles": {
                    "dynamicRegistration": watches}},
                "textDocument": {"publishDiagnostics": {
                    "relatedInformation": related}}}})
        self.notify("initialized")
        return result

    def open(self, uri, text, version=1):
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": "sgl", "version": version,
            "text": text}})

    def change(self, uri, text, version):
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"text": text}]})

    def diagnostics(self, uri, version):
        """Waits for the diagnostics of a version of an open file."""
        while True:
            params = self.published.get(uri)
            if params and params.get("version") == version:
                return params["diagnostics"]
            assert self.receive() is not None, "the server ended"

    def settled(self, uri):
        """Returns the diagnostics of a file after all that was sent so far,
        whoever's change they come from. Those of a buffer that has no path
        come last of what is published together."""
        self.settled_version += 1
        if self.settled_version == 1:
            self.open("untitled:settled", "")
        else:
            self.change("untitled:settled", "", self.settled_version)
        self.diagnostics("untitled:settled", self.settled_version)
        params = self.published.get(uri)
        return None if params is None else params["diagnostics"]

    def finish(self):
        """Ends the server in order; returns its exit status."""
        self.result("shutdown")
        self.notify("exit")
        return self.wait()

    def wait(self):
        status = self.process.wait(timeout=PATIENCE)
        self.close()
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def find(text, marked):
    """Returns the position of `|` in a snippet that stands once in the text.

    Characters are UTF-16 code units.
    """
    before, after = marked.split("|")
    snippet = before + after
    assert text.count(snippet) == 1, (snippet, text.count(snippet))
    at = text.index(snippet) + len(before)
    line = text.count("\n", 0, at)
    start = text.rfind("\n", 0, at) + 1
    return {"line": line,
            "character": len(text[start:at].encode("utf-16-le")) // 2}


def covered(text, span):
    """Returns the text of a range within one line."""
    line = text.split("\n")[span["start"]["line"]].encode("utf-16-le")
    assert span["start"]["line"] == span["end"]["line"]
    return line[2 * span["start"]["character"]:
                2 * span["end"]["character"]].decode("utf-16-le")


def apply(text, edits):
    """Applies text edits, last first."""
    starts = [0]
    for i, char in enumerate(text):
        if char == "\n":
            starts.append(i + 1)

    def offset(position):
        if position["line"] >= len(starts):
            return len(text)
        start = starts[position["line"]]
        units = text[start:].encode("utf-16-le")[:2 * position["character"]]
        return start + len(units.decode("utf-16-le"))

    order = sorted(edits, key=lambda edit: offset(edit["range"]["start"]),
                   reverse=True)
    for edit in order:
        text = (text[:offset(edit["range"]["start"])] + edit["newText"] +
                text[offset(edit["range"]["end"]):])
    return text
