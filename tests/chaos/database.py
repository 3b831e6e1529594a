"""The private PostgreSQL below the engines: read past all row security, cut off
from the engines, stopped without a word and started again.
"""
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import threading
import time

from tests.e2e import harness

_PSQL = ("/usr/bin/psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
# Recovery after an immediate stop reads what was written since the last
# checkpoint; a busy machine is slow.
_READY_SECONDS_MAX = 60
_READY_POLL_SECONDS = 0.05


class SqlError(Exception):
    """What psql said of a text that failed."""


def run_sql(url, sql, timeout=120):
    """Runs a text of statements; returns what they print."""
    result = subprocess.run([*_PSQL, "-d", url, "-f", "-"], input=sql,
                            capture_output=True, text=True, check=False,
                            timeout=timeout)
    if result.returncode != 0:
        raise SqlError(result.stderr)
    return result.stdout.strip()


class Database:
    """The database of a `harness.DevServer`. Thread-safe but for `start` and
    the stops, which are one thread's."""

    def __init__(self, server):
        self._server = server
        self.owner_url = server.ready["direct_url"]
        self.superuser_url = self.owner_url.replace(
            "//intent_owner@", "//postgres@")
        self._process = None

    def query(self, sql):
        """One text, past all row security."""
        return run_sql(self.superuser_url, sql)

    def _home(self):
        data = self._server.folder / "data"
        note = data / "postgres.path"
        if note.exists():
            return pathlib.Path(note.read_text().strip())
        return data / "postgres"

    def start(self):
        """Starts what `intentd dev` made and stopped; returns once it answers.

        With fsync off: what a process wrote survives the process, and no
        machine fails here. Commits are as synchronous as ever.
        """
        cluster = self._home() / "cluster"
        command = shlex.split((cluster / "postmaster.opts").read_text())
        if "fsync=off" not in command:
            command += ["-c", "fsync=off"]
        user = "postgres" if os.geteuid() == 0 else None
        with open(self._server.folder / "postgres.log", "ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, user=user, group=user,
                extra_groups=[] if user else None, cwd="/")
        self._await_ready()

    def _await_ready(self):
        deadline = time.monotonic() + _READY_SECONDS_MAX
        pause = threading.Event()
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.query("SELECT 1")
                return
            except SqlError:
                pause.wait(_READY_POLL_SECONDS)
        raise AssertionError(
            "PostgreSQL did not come up:\n" +
            (self._server.folder / "postgres.log").read_text()[-4000:])

    def stop_at_once(self):
        """As `pg_ctl stop -m immediate`: no transaction ends, no checkpoint is
        made."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=_READY_SECONDS_MAX)

    def drop_connections(self):
        """Ends the sessions of all engines, their listeners' too; returns how
        many there were."""
        return int(self.query(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE usename IN ('intentd', 'intent_owner') "
            "AND application_name <> 'psql'"))

    def propose(self, address, token, path):
        """Stores rule files as a version of the platform's, through an engine;
        returns the digests of all versions, the active one first."""
        subprocess.run(
            [str(harness.INTENTCTL), "policies", "propose", "--platform",
             str(path), "--address", address, "--token", token],
            capture_output=True, check=True)
        return self.query(
            "SELECT string_agg(digest, ' ' "
            "ORDER BY digest <> active_policy_digest()) FROM policies "
            "WHERE tenant_id IS NULL").split()

    def activate(self, digest):
        """Makes a version the active one, as in an emergency: without votes,
        as the tables' owner. What it was told, nothing where it is."""
        told = subprocess.run(
            [str(harness.INTENTCTL), "policies", "activate", digest,
             "--break-glass", "--reason", "chaos",
             "--direct-url", self.owner_url],
            capture_output=True, text=True, check=False)
        return told.stderr if told.returncode != 0 else ""

    def idle_transactions_ended(self):
        """How many transactions PostgreSQL ended because their engine did
        nothing with them."""
        return (self._server.folder / "postgres.log").read_text(
            errors="replace").count("idle-in-transaction timeout")

    def close(self):
        """Stops it for good and removes it."""
        if self._process is not None and self._process.poll() is None:
            self.stop_at_once()
        shutil.rmtree(self._home(), ignore_errors=True)
        shutil.rmtree(self._server.folder, ignore_errors=True)


def make(policy):
    """A database with this policy active, as `intentd dev` makes it: the
    server's folder and URLs, and the running database."""
    server = harness.DevServer(policy=policy)
    server.start()
    database = Database(server)
    server.stop()
    database.start()
    return server, database
