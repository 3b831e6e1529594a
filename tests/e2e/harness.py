"""What the end-to-end tests stand on: the shipped binaries, started as a user
starts them, and Python's stock gRPC client with stubs made from proto/.

Paths are relative to the checkout (Bazel's runfiles), where the tests run.
"""
import contextlib
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import grpc

INTENTD = pathlib.Path("engine/intentd")
INTENTCTL = pathlib.Path("tools/intentctl/intentctl")
ATLAS = pathlib.Path("policy/library/atlas.sgl")
PROTOS = pathlib.Path("proto")
# Starting makes a PostgreSQL cluster the first time; a busy machine is slow.
READY_SECONDS_MAX = 120


def _load_stubs():
    """Generates Python stubs from proto/ and imports them."""
    out = tempfile.mkdtemp(prefix="intent-stubs-")
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}",
         f"--python_out={out}", f"--grpc_python_out={out}"] +
        sorted(str(path.relative_to(PROTOS))
               for path in PROTOS.glob("intent/v1/*.proto")),
        check=True)
    sys.path.insert(0, out)
    modules = {
        name: importlib.import_module(f"intent.v1.{name}")
        for name in ("intent_pb2", "intent_service_pb2",
                     "intent_service_pb2_grpc", "decision_service_pb2",
                     "decision_service_pb2_grpc", "admin_service_pb2",
                     "admin_service_pb2_grpc", "job_service_pb2",
                     "job_service_pb2_grpc")
    }
    shutil.rmtree(out)
    return modules


_STUBS = _load_stubs()
intent_pb2 = _STUBS["intent_pb2"]
intent_service_pb2 = _STUBS["intent_service_pb2"]
intent_service_pb2_grpc = _STUBS["intent_service_pb2_grpc"]
decision_service_pb2 = _STUBS["decision_service_pb2"]
decision_service_pb2_grpc = _STUBS["decision_service_pb2_grpc"]
admin_service_pb2 = _STUBS["admin_service_pb2"]
admin_service_pb2_grpc = _STUBS["admin_service_pb2_grpc"]
job_service_pb2 = _STUBS["job_service_pb2"]
job_service_pb2_grpc = _STUBS["job_service_pb2_grpc"]


class Client:
    """Both services, called as one principal."""

    def __init__(self, address, token):
        self._channel = grpc.insecure_channel(address)
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.intents = intent_service_pb2_grpc.IntentServiceStub(self._channel)
        self.decisions = decision_service_pb2_grpc.DecisionServiceStub(
            self._channel)

    def close(self):
        self._channel.close()

    def submit(self, intent_type, payload, wait=30, request_id=None, **fields):
        """Submits; `payload` is JSON text or something that json.dumps takes."""
        if not isinstance(payload, str):
            payload = json.dumps(payload)
        request = intent_service_pb2.SubmitIntentRequest(
            request_id=request_id or str(uuid.uuid4()),
            intent_type=intent_type, payload=payload, **fields)
        request.wait.FromSeconds(wait)
        return self.intents.SubmitIntent(
            request, metadata=self.metadata, timeout=wait + 30).intent

    def get_intent(self, intent_id):
        return self.intents.GetIntent(
            intent_service_pb2.GetIntentRequest(id=intent_id),
            metadata=self.metadata, timeout=30).intent

    def await_decided(self, intent_id, within=30):
        """The intent as soon as it has left DRAFT, told by a watch."""
        for answer in self.intents.WatchIntents(
                intent_service_pb2.WatchIntentsRequest(include_existing=True),
                metadata=self.metadata, timeout=within):
            if (answer.intent.id == intent_id and answer.intent.status
                    != intent_pb2.INTENT_STATUS_DRAFT):
                return answer.intent
        raise AssertionError(f"the watch ended before {intent_id} was decided")

    def get_memo(self, memo_id):
        return self.decisions.GetDecisionMemo(
            decision_service_pb2.GetDecisionMemoRequest(id=memo_id),
            metadata=self.metadata, timeout=30).decision_memo

    def approve(self, memo, comment=""):
        return self.decisions.ApproveDecisionMemo(
            decision_service_pb2.ApproveDecisionMemoRequest(
                id=memo.id, revision=memo.revision,
                payload_sha256=memo.payload_sha256, comment=comment),
            metadata=self.metadata, timeout=30)


class DevServer:
    """`intentd dev` in a folder of its own; can be killed and started again."""

    def __init__(self, *, policy=ATLAS, no_executor="", executors=""):
        self.folder = pathlib.Path(
            tempfile.mkdtemp(prefix="intent-e2e-", dir="/var/tmp"))
        os.chmod(self.folder, 0o755)
        self._policy = policy
        self._no_executor = no_executor
        # The executors' file's text.
        self._executors = executors
        self._process = None
        self._clients = []
        self.ready = None

    def start(self):
        ready_file = self.folder / "ready.json"
        ready_file.unlink(missing_ok=True)
        command = [str(INTENTD), "dev", "--data-dir", str(self.folder / "data"),
                   "--port", "0", "--policy", str(self._policy),
                   "--ready-file", str(ready_file)]
        if self._no_executor:
            command += ["--no-executor", self._no_executor]
        if self._executors:
            file = self.folder / "executors.textproto"
            file.write_text(self._executors)
            command += ["--executors", str(file)]
        log = open(self.folder / "intentd.log", "ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not ready_file.exists():
            try:
                # Its end is the signal of failure; the file that of success.
                self._process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
            raise AssertionError("intentd did not come up:\n" + self.log())
        self.ready = json.loads(ready_file.read_text())
        return self

    def log(self):
        return (self.folder / "intentd.log").read_text()[-8000:]

    def client(self, principal):
        return self.client_with(self.ready["tokens"][principal])

    def client_with(self, token):
        client = Client(self.ready["address"], token)
        self._clients.append(client)
        return client

    def signal(self, number):
        self._process.send_signal(number)

    def has_ended(self):
        return self._process.poll() is not None

    def await_end(self):
        """Returns the exit status."""
        return self._process.wait(timeout=60)

    def kill(self):
        """As by `kill -9`: nothing of it gets to clean up."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            return self._process.wait(timeout=60)
        return None

    def query(self, sql):
        """Runs SQL as the direct role's owner; returns rows of strings."""
        result = subprocess.run(
            ["/usr/bin/psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-F", "\x1f", "-d", self.ready["direct_url"], "-c", sql],
            capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(f"{sql}\n{result.stderr}")
        return [line.split("\x1f") for line in result.stdout.splitlines()]

    def intentctl(self, *args):
        """Runs a verb of intentctl on the direct URL; returns its JSON."""
        result = subprocess.run(
            [str(INTENTCTL), *args, "--direct-url", self.ready["direct_url"],
             "--json"],
            capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(f"intentctl {args}\n{result.stderr}")
        return json.loads(result.stdout)


@contextlib.contextmanager
def dev_server(**options):
    server = DevServer(**options)
    try:
        yield server.start()
    finally:
        if server.stop() is None and server.ready:
            # It was killed: start it once more so that it takes its
            # PostgreSQL over and stops it.
            server.start().stop()
        location = server.folder / "data" / "postgres.path"
        if location.exists():
            shutil.rmtree(location.read_text().strip(), ignore_errors=True)
        shutil.rmtree(server.folder, ignore_errors=True)
