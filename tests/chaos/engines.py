"""Engines beside the one that `intentd dev` runs, on its database: processes of
`intentd serve` that are killed and started again, at the same address.
"""
import re
import signal
import subprocess
import time

from tests.e2e import harness


class Engine:
    """One `intentd serve`. Ends with `kill` or `stop`."""

    def __init__(self, server, name, executors):
        self._server = server
        self._log = server.folder / f"{name}.log"
        self._executors = executors
        self._process = None
        # A free port the first time, the same one from then on.
        self.address = "127.0.0.1:0"

    def start(self):
        """Returns once it serves."""
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(harness.INTENTD), "serve",
                 "--database-url", self._server.ready["database_url"],
                 "--direct-url", self._server.ready["direct_url"],
                 "--executors", str(self._executors),
                 "--listen", self.address], stdout=log, stderr=log)
        deadline = time.monotonic() + harness.READY_SECONDS_MAX
        while True:
            found = re.search(r"serving on (\S+)", self._log.read_text())
            if found:
                self.address = found[1]
                return self
            try:
                # Its end is the signal of failure; a line of its log that of
                # success.
                self._process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
            raise AssertionError(
                "intentd serve did not come up:\n" + self._log.read_text())

    def kill(self):
        """As by `kill -9`."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        """Ends it if it runs, as an operator would."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=60)
