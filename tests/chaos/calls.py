"""How the suite's clients call: one engine after the other until one answers,
keeping count of the tries of which nobody knows whether they were done.
"""
import hashlib
import re
import threading

import grpc

from tests.e2e import harness

# Answers after which nobody knows whether it was done.
IN_DOUBT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN,
            grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)
# A killed engine is back in a second or two; without these a channel would
# wait longer than it takes.
_CHANNEL_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 100),
                    ("grpc.max_reconnect_backoff_ms", 500))


class Line:
    """A connection to one engine, shared by all who call it. Thread-safe."""

    def __init__(self, address):
        self._channel = grpc.insecure_channel(address, _CHANNEL_OPTIONS)
        self._stubs = (
            harness.decision_service_pb2_grpc.DecisionServiceStub(
                self._channel),
            harness.intent_service_pb2_grpc.IntentServiceStub(self._channel),
            harness.admin_service_pb2_grpc.AdminServiceStub(self._channel),
            harness.job_service_pb2_grpc.JobServiceStub(self._channel))

    def method(self, name):
        """The method of this name, of whichever service has it."""
        return next(getattr(stub, name) for stub in self._stubs
                    if hasattr(stub, name))

    def close(self):
        self._channel.close()


def details_of(error):
    """The bytes of a refusal's google.rpc.Status; empty where it has none."""
    return dict(error.trailing_metadata() or ()).get(
        "grpc-status-details-bin", b"")


def reason_of(error):
    """The reason in a refusal's ErrorInfo; its code where it has none."""
    details = details_of(error)
    found = re.search(rb"google\.rpc\.ErrorInfo\x12.{1,2}?\n(.)", details,
                      flags=re.S)
    if not found:
        return error.code().name
    return details[found.end():found.end() + found[1][0]].decode()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Turns:
    """Turns taken, for who waits until there were so many."""

    def __init__(self):
        self._changed = threading.Condition()
        self._count = 0

    @property
    def count(self):
        with self._changed:
            return self._count

    def add(self):
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count, timeout=None):
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count, timeout)


class Wire:
    """A principal's calls: at one engine after the other until one answers.

    `pause`, where there is one, is called before each further try: who calls
    while the database is away would run out of tries otherwise.
    """

    def __init__(self, lines, home, token, *, timeout=60, tries_max=20,
                 pause=None):
        self._lines = lines
        self._at = home % len(lines)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._timeout = timeout
        self._tries_max = tries_max
        self._pause = pause

    def call(self, method, request, timeout=None):
        """The answer or None, the error or None, and how many tries before
        it are in doubt."""
        doubts = 0
        for _ in range(self._tries_max):
            try:
                answer = self._lines[self._at].method(method)(
                    request, metadata=self._metadata,
                    timeout=timeout or self._timeout)
                return answer, None, doubts
            except grpc.RpcError as error:
                if error.code() in IN_DOUBT:
                    doubts += 1
                elif (error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED or
                      self._pause is None):
                    return None, error, doubts
                self._at = (self._at + 1) % len(self._lines)
                if self._pause is not None:
                    self._pause()
        raise AssertionError(f"{method}: no engine answers")

    def begin(self, method, request, number):
        """Starts one try at the engine of this number; returns its future."""
        return self._lines[number % len(self._lines)].method(method).future(
            request, metadata=self._metadata, timeout=self._timeout)
