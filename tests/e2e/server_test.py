"""Proves what operators build on: health checking and reflection, by their
wire formats; TLS and mutual TLS by flags, and that nothing turns them off
unasked; a drain that tells and ends in time, and a second signal that ends the
process at once.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import grpc

from tests.e2e import harness
from tests.e2e.harness import intent_service_pb2, intent_service_pb2_grpc

SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"
SECONDS_MAX = 60


def _field(number, text):
    """A string field of a protobuf message, shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def _health(channel, service):
    return channel.unary_unary("/grpc.health.v1.Health/Check")(
        _field(1, service), timeout=SECONDS_MAX)


def _await(condition):
    """Returns whether the condition held before long."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if condition():
            return True
    return False


def _address_of(process):
    """Where `intentd serve` serves, by its log."""
    for line in process.stderr:
        found = re.search(r"serving on (\S+)", line)
        if found:
            return found[1]
    raise AssertionError("intentd serve did not come up")


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()
        cls.folder = pathlib.Path(tempfile.mkdtemp())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        cls._context.__exit__(None, None, None)

    def _certificate(self, name, *more):
        """Makes NAME.pem and NAME.key; returns their paths."""
        paths = (self.folder / f"{name}.pem", self.folder / f"{name}.key")
        subprocess.run(
            ["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048",
             "-nodes", "-days", "1", "-subj", f"/CN={name}",
             "-out", paths[0], "-keyout", paths[1], *more],
            check=True, capture_output=True)
        return paths

    def _serve(self, *flags):
        """`intentd serve` on the same database; its log goes to a pipe."""
        return subprocess.Popen(
            [str(harness.INTENTD), "serve",
             "--database-url", self.server.ready["database_url"],
             "--direct-url", self.server.ready["direct_url"], *flags],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def _refusal(self, *flags):
        """What `intentd serve` says instead of serving."""
        process = self._serve(*flags)
        self.addCleanup(process.kill)
        said = process.communicate(timeout=SECONDS_MAX)[1]
        self.assertNotEqual(process.returncode, 0, said)
        return said

    def test_health_is_told_of_each_service(self):
        with grpc.insecure_channel(self.server.ready["address"]) as channel:
            for service in ("", "intent.v1.IntentService",
                            "intent.v1.DecisionService"):
                self.assertEqual(_health(channel, service), SERVING, service)
            with self.assertRaises(grpc.RpcError) as refused:
                _health(channel, "intent.v1.NoService")
            self.assertEqual(refused.exception.code(),
                             grpc.StatusCode.NOT_FOUND)

    def test_reflection_lists_the_services(self):
        with grpc.insecure_channel(self.server.ready["address"]) as channel:
            method = channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/"
                "ServerReflectionInfo")
            listed = next(method(iter([_field(7, "*")]), timeout=SECONDS_MAX))
            self.assertIn(b"intent.v1.IntentService", listed)
            self.assertIn(b"intent.v1.DecisionService", listed)
            found = next(method(iter([_field(4, "intent.v1.IntentService")]),
                                timeout=SECONDS_MAX))
            self.assertIn(b"SubmitIntentRequest", found)

    def test_mutual_tls_by_flags(self):
        ca, ca_key = self._certificate("ca")
        signed = ("-CA", ca, "-CAkey", ca_key)
        cert, key = self._certificate(
            "server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
        client_cert, client_key = self._certificate("client", *signed)
        process = self._serve("--listen", "127.0.0.1:0", "--tls-cert", cert,
                              "--tls-key", key, "--tls-client-ca", ca)
        self.addCleanup(process.kill)
        address = _address_of(process)

        def call(channel):
            stub = intent_service_pb2_grpc.IntentServiceStub(channel)
            return stub.ListIntents(
                intent_service_pb2.ListIntentsRequest(),
                metadata=self.server.client("agent").metadata,
                timeout=SECONDS_MAX)

        root = ca.read_bytes()
        known = grpc.ssl_channel_credentials(
            root, client_key.read_bytes(), client_cert.read_bytes())
        with grpc.secure_channel(address, known) as channel:
            call(channel)
        for channel in (
                grpc.secure_channel(address,
                                    grpc.ssl_channel_credentials(root)),
                grpc.insecure_channel(address)):
            with channel, self.assertRaises(grpc.RpcError) as refused:
                call(channel)
            self.assertEqual(refused.exception.code(),
                             grpc.StatusCode.UNAVAILABLE)
        listed = subprocess.run(
            [str(harness.INTENTCTL), "intents", "list", "--address", address,
             "--token", self.server.ready["tokens"]["agent"], "--tls-ca", ca,
             "--tls-cert", client_cert, "--tls-key", client_key],
            capture_output=True, text=True, check=False)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        process.terminate()
        process.communicate(timeout=SECONDS_MAX)
        self.assertEqual(process.returncode, 0)

    def test_an_empty_pem_file_does_not_turn_tls_off(self):
        cert, key = self._certificate("alone")
        empty = self.folder / "empty.pem"
        empty.touch()
        for flags in (("--tls-cert", empty, "--tls-key", empty),
                      ("--tls-cert", cert, "--tls-key", key,
                       "--tls-client-ca", empty)):
            said = self._refusal("--listen", "127.0.0.1:0", *flags)
            self.assertIn(f"`{empty}` is no PEM file", said)

    def test_without_tls_only_loopback_is_listened_on(self):
        said = self._refusal("--listen", "0.0.0.0:0")
        self.assertIn("without TLS the server listens on loopback only", said)


class SignalTest(unittest.TestCase):
    def test_drain_is_told_and_a_second_signal_ends_it_at_once(self):
        with harness.dev_server() as server:
            agent = server.client("agent")
            memo = agent.submit("BANK_TRANSFER", {"to_account": "GB1"})
            # A transaction that holds the intent keeps a call, and so the
            # drain, from its end.
            holder = subprocess.Popen(
                ["/usr/bin/psql", "-X", "-A", "-t", "-q",
                 "-d", server.ready["direct_url"]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            holder.stdin.write(
                "BEGIN;\nSELECT 'held' FROM intents "
                f"WHERE id = '{memo.id}' FOR UPDATE;\n")
            holder.stdin.flush()
            self.assertEqual(holder.stdout.readline(), "held\n")
            canceled = agent.intents.CancelIntent.future(
                intent_service_pb2.CancelIntentRequest(id=memo.id),
                metadata=agent.metadata, timeout=SECONDS_MAX)
            self.assertTrue(_await(lambda: server.query(
                "SELECT pid FROM pg_locks WHERE NOT granted")))
            with grpc.insecure_channel(server.ready["address"]) as channel:
                health = channel.unary_stream("/grpc.health.v1.Health/Watch")(
                    b"", timeout=SECONDS_MAX)
                self.assertEqual(next(health), SERVING)
                server.signal(signal.SIGTERM)
                self.assertEqual(next(health), NOT_SERVING)
            self.assertFalse(server.has_ended())
            server.signal(signal.SIGTERM)
            # By a signal, not by the end of the drain, which would be 0.
            self.assertEqual(server.await_end(), 130)
            with self.assertRaises(grpc.RpcError):
                canceled.result()
            holder.communicate("ROLLBACK;\n", timeout=SECONDS_MAX)


    def test_a_database_that_hangs_does_not_hold_the_drain_up(self):
        with harness.dev_server() as server:
            process = subprocess.Popen(
                [str(harness.INTENTD), "serve",
                 "--database-url", server.ready["database_url"],
                 "--direct-url", server.ready["direct_url"],
                 "--listen", "127.0.0.1:0", "--grace", "1"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.kill)
            address = _address_of(process)
            backends = [int(row[0]) for row in server.query(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'intentd'")]
            stat = pathlib.Path(f"/proc/{backends[0]}/stat").read_text()
            # And the postmaster, so that no new connection is answered.
            stopped = backends + [int(stat.rsplit(")", 1)[1].split()[1])]
            try:
                for pid in stopped:
                    os.kill(pid, signal.SIGSTOP)
                # Once it failed, this call or the worker, which polls twice
                # meanwhile, is stuck in the one pooled connection.
                client = harness.Client(address, server.ready["tokens"]["agent"])
                self.addCleanup(client.close)
                with self.assertRaises(grpc.RpcError) as refused:
                    client.intents.ListIntents(
                        intent_service_pb2.ListIntentsRequest(),
                        metadata=client.metadata, timeout=2)
                self.assertEqual(refused.exception.code(),
                                 grpc.StatusCode.DEADLINE_EXCEEDED)
                process.terminate()
                said = process.communicate(timeout=SECONDS_MAX)[1]
                self.assertEqual(process.returncode, 1)
                self.assertIn("ending without it", said)
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
