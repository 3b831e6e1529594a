"""Proves that the whole way (gRPC, database, engine) decides as the rules do:
500 well-formed requests of the atlas data, each submitted with the token of
its own agent and tenant, get the expected decisions, and the database keeps
them.
"""
import concurrent.futures
import json
import unittest

from tests.e2e import harness

REQUESTS = "tests/data/atlas/atlas_requests.jsonl"
EXPECTED = "tests/data/atlas/atlas_expected.jsonl"
COUNT = 500
CLIENTS = 8
MICROS = 1_000_000


def expected_shape(line):
    shape = {"decision": line["decision"], "reasons": line["reasons"]}
    if line["decision"] == "REVIEW":
        shape["risk"] = line.get("risk", 0)
        shape["approvals"] = sorted(
            (a["count"], sorted(a["roles"])) for a in line["approvals"])
        shape["within"] = line.get("within")
    return shape


def decided_shape(decision):
    kind = harness.intent_pb2.DecisionKind.Name(decision.kind)
    shape = {"decision": kind[len("DECISION_KIND_"):],
             "reasons": [reason.code for reason in decision.reasons]}
    if shape["decision"] == "REVIEW":
        shape["risk"] = decision.risk_tier
        shape["approvals"] = sorted(
            (demand.count, sorted(demand.roles))
            for demand in decision.demands)
        shape["within"] = (f"{decision.within.seconds // 3600}h"
                           if decision.HasField("within") else None)
    return shape


def well_formed():
    """Yields requests that gRPC's own types can carry, with what must come."""
    with open(REQUESTS, encoding="utf-8") as requests, \
            open(EXPECTED, encoding="utf-8") as expected:
        for request, want in zip(requests, expected):
            want = json.loads(want)
            if "error" in want:
                continue
            intent = json.loads(request)["intent"]
            spend = intent.get("spend_usd", 0)
            if isinstance(spend, bool) or not isinstance(spend, (int, float)):
                continue
            micros = round(spend * MICROS)
            if micros < 0 or abs(micros / MICROS - spend) > 1e-9:
                continue
            if intent.get("data_class", "NONE") not in ("NONE", "PII", "PHI"):
                continue
            yield json.loads(request), micros, want


class AtlasTest(unittest.TestCase):
    def test_decisions_agree_through_grpc_and_the_database(self):
        with harness.dev_server() as server:
            clients = {}
            cases = []
            for request, micros, want in well_formed():
                cases.append((request, micros, want))
                if len(cases) == COUNT:
                    break
            self.assertEqual(len(cases), COUNT)
            for slug in sorted({c[0]["tenant"]["slug"] for c in cases}):
                server.intentctl("tenants", "create", "--slug", slug,
                                 "--name", slug)
            for request, _, _ in cases:
                slug = request["tenant"]["slug"]
                agent = request["agent"]
                if (slug, agent["name"]) in clients:
                    continue
                server.intentctl("agents", "create", "--tenant", slug,
                                 "--name", agent["name"],
                                 "--tier", str(agent["tier"]))
                token = server.intentctl("tokens", "create", "--tenant", slug,
                                         "--agent", agent["name"])["token"]
                clients[slug, agent["name"]] = server.client_with(token)

            def submit(case):
                request, micros, _ = case
                intent = request["intent"]
                client = clients[request["tenant"]["slug"],
                                 request["agent"]["name"]]
                return client.submit(
                    intent["type"], intent["payload"],
                    spend_micros_usd=micros,
                    data_class=harness.intent_pb2.DataClass.Value(
                        "DATA_CLASS_" + intent.get("data_class", "NONE")),
                    requested_by=intent.get("requested_by", ""))

            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                answers = list(pool.map(submit, cases))
            differing = []
            for (request, _, want), answer in zip(cases, answers):
                got = decided_shape(answer.decision)
                if got != expected_shape(want):
                    differing.append((request, expected_shape(want), got))
            self.assertEqual(differing, [])
            stored = {row[0]: row[1] for row in server.query(
                "SELECT id, sgl_result FROM intents")}
            self.assertEqual(len(stored), COUNT)
            for answer, (_, _, want) in zip(answers, cases):
                self.assertEqual(stored[answer.id], want["decision"])


if __name__ == "__main__":
    unittest.main()
