"""Engines beside the one that `intentd dev` runs, or instead of it, on its
database: processes of `intentd serve` that are killed, paused and started
again, at the same address.
"""
import re
import signal
import subprocess
import time

from tests.e2e import harness


class Engine:
    """One `intentd serve`. Ends with `kill` or `stop`."""

    def __init__(self, server, name, executors, *, flags=(),
                 binary=harness.INTENTD):
        self._server = server
        self.name = name
        self._log = server.folder / f"{name}.log"
        self._executors = executors
        self._flags = flags
        self._binary = binary
        self._process = None
        self.is_paused = False
        # A free port the first time, the same one from then on.
        self.address = "127.0.0.1:0"

    def start(self):
        """Returns once it serves."""
        self.is_paused = False
        with open(self._log, "ab") as log:
            log_start = log.tell()
            self._process = subprocess.Popen(
                [str(self._binary), "serve",
                 "--database-url", self._server.ready["database_url"],
                 "--direct-url", self._server.ready["direct_url"],
                 "--executors", str(self._executors),
                 "--listen", self.address, *self._flags],
                stdout=log, stderr=log)
        deadline = time.monotonic() + harness.READY_SECONDS_MAX
        while True:
            said = self.log(log_start)
            found = re.search(r"serving on (\S+)", said)
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
            raise AssertionError("intentd serve did not come up:\n" + said)

    def log(self, start=0):
        """What it said, in all its lives, from this byte on."""
        return self._log.read_bytes()[start:].decode(errors="replace")

    def has_ended(self):
        """Whether it isn't there, though nobody ended it."""
        return self._process is not None and self._process.poll() is not None

    def kill(self):
        """As by `kill -9`."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def pause(self):
        """Nothing of it runs until `resume`; its connections stay."""
        self._process.send_signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self):
        self._process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def stop(self):
        """Ends it if it runs, as an operator would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(timeout=60)
