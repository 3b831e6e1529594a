"""Proves what only the shipped binary shows of attacks: that bytes which are no
messages, and a flood of bad tokens, leave it serving, and its log small and
without a secret in it.
"""
import secrets
import socket
import unittest

import grpc

from tests.e2e import harness
from tests.e2e.harness import intent_service_pb2

METHODS = ("/intent.v1.IntentService/SubmitIntent",
           "/intent.v1.IntentService/ListIntents",
           "/intent.v1.DecisionService/ApproveDecisionMemo")
SECONDS_MAX = 60


def _code(call):
    """Waits for a call; returns how it ended."""
    error = call.exception()
    return error.code() if error else grpc.StatusCode.OK


class AttacksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._context = harness.dev_server()
        cls.server = cls._context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls._context.__exit__(None, None, None)

    def _serves(self):
        client = self.server.client("agent")
        client.intents.ListIntents(intent_service_pb2.ListIntentsRequest(),
                                   metadata=client.metadata,
                                   timeout=SECONDS_MAX)

    def test_bytes_that_are_no_message_are_refused(self):
        metadata = self.server.client("agent").metadata
        codes = set()
        with grpc.insecure_channel(self.server.ready["address"]) as channel:
            for method in METHODS:
                call = channel.unary_unary(method)
                # A field past the message's end, an endless varint, a group
                # that never ends, text that is no UTF-8.
                for message in (b"\x0a\xff\xff\xff\xff\x0f", b"\x08" +
                                b"\xff" * 12, b"\x0b" * 200,
                                b"\x0a\x02\xff\xfe"):
                    # What happens to be a message with unknown fields is
                    # answered; the rest is refused at once.
                    code = _code(call.future(message, metadata=metadata,
                                             timeout=SECONDS_MAX))
                    self.assertNotIn(code, (grpc.StatusCode.UNAVAILABLE,
                                            grpc.StatusCode.DEADLINE_EXCEEDED))
                    codes.add(code)
        self.assertGreater(len(codes), 1)
        host, port = self.server.ready["address"].rsplit(":", 1)
        for start in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00",
                      b"\x00" * 4096,
                      b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096):
            with socket.create_connection((host, int(port)),
                                          timeout=SECONDS_MAX) as connection:
                connection.sendall(start)
        self._serves()

    def test_a_flood_of_bad_tokens_is_a_line_a_minute(self):
        self._serves()
        before = self.server.log().count("\n")
        tokens = ["iet_" + secrets.token_urlsafe(32) for _ in range(400)]
        codes = set()
        with grpc.insecure_channel(self.server.ready["address"]) as channel:
            call = channel.unary_unary(METHODS[1])
            for token in tokens:
                with self.assertRaises(grpc.RpcError) as refused:
                    call(b"", timeout=SECONDS_MAX,
                         metadata=(("authorization", f"Bearer {token}"),))
                codes.add(refused.exception.code())
        self.assertEqual(codes, {grpc.StatusCode.UNAUTHENTICATED,
                                 grpc.StatusCode.RESOURCE_EXHAUSTED})
        # Who was there before goes on.
        self._serves()
        log = self.server.log()
        self.assertLess(log.count("\n") - before, 10, log)
        for secret in tokens + list(self.server.ready["tokens"].values()):
            self.assertNotIn(secret, log)
        self.assertEqual(self.server.query(
            "SELECT count(*) FROM audit_log AS l WHERE l::text LIKE '%iet_%'"
        ), [["0"]])


if __name__ == "__main__":
    unittest.main()
