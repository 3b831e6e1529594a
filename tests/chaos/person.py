"""One person who looks at memos and approves, rejects or edits them, and notes
in the ledger what was asked and what was answered.
"""
from tests.chaos import calls
from tests.chaos import checker
from tests.e2e import harness

# The one reason that each type is asked about for, in the suite's policies.
REASON_CODES = {"POST": "POSTS", "WIRE": "WIRES", "FILING": "FILINGS",
                "QUICK": "QUICKS", "ERRAND": "ERRANDS"}
_CODES_IN_DOUBT = {code.value[0] for code in calls.IN_DOUBT}
# Below it nobody is asked; above $1,000,000 nothing is let pass.
BIG, SMALL, HUGE = 300_000_000, 1_000_000, 2_000_000_000_000


class Person:
    """One of the crowd. Confined to one thread; the ledger is shared."""

    def __init__(self, who, wire, rng, ledger_lock, ledger, types):
        self.who = who
        self.wire = wire
        self.rng = rng
        self._lock = ledger_lock
        self._ledger = ledger
        self._types = types

    def look(self, memo_id):
        answer, error, _ = self.wire.call(
            "GetDecisionMemo",
            harness.decision_service_pb2.GetDecisionMemoRequest(id=memo_id))
        if error is not None:
            raise error
        return answer.decision_memo

    def note(self, verb, memo, answer, doubts, status="", edited=""):
        act = checker.Act(verb, self.who.user_id, memo.id, memo.revision,
                          memo.payload_sha256, answer, doubts > 0, edited,
                          status.removeprefix("INTENT_STATUS_"))
        with self._lock:
            self._ledger.acts.append(act)

    def _do(self, verb, memo, method, request, edited=""):
        answer, error, doubts = self.wire.call(method, request)
        if error is not None:
            self.note(verb, memo, calls.reason_of(error), doubts,
                      edited=edited)
            return None
        status = harness.intent_pb2.IntentStatus.Name(answer.intent.status)
        self.note(verb, memo, "ACKNOWLEDGED", doubts, status, edited)
        return answer

    @staticmethod
    def approval_of(memo):
        return harness.decision_service_pb2.ApproveDecisionMemoRequest(
            id=memo.id, revision=memo.revision,
            payload_sha256=memo.payload_sha256)

    def approve(self, memo):
        return self._do("APPROVE", memo, "ApproveDecisionMemo",
                        self.approval_of(memo))

    def reject(self, memo):
        return self._do("REJECT", memo, "RejectDecisionMemo",
                        harness.decision_service_pb2.RejectDecisionMemoRequest(
                            id=memo.id, revision=memo.revision,
                            payload_sha256=memo.payload_sha256,
                            comment=f"{self.who.role} says no"))

    def edit(self, memo):
        # No two edits make the same, so that each is known by its hash.
        payload = f'{{"text": "{self.rng.getrandbits(64):x}"}}'
        spend = self.rng.choices((BIG, SMALL, HUGE), (8, 1, 1))[0]
        intent_type = memo.intent_type
        if self.rng.random() < 0.2:
            intent_type = self.rng.choice(self._types)
        return self._do("EDIT", memo, "EditDecisionMemo",
                        harness.decision_service_pb2.EditDecisionMemoRequest(
                            id=memo.id, revision=memo.revision,
                            payload_sha256=memo.payload_sha256,
                            comment="better so", intent_type=intent_type,
                            payload=payload, spend_micros_usd=spend),
                        edited=calls.sha256(payload))

    def approve_batch(self, memos):
        request = harness.decision_service_pb2.BatchApproveDecisionMemosRequest(
            reason_code=REASON_CODES[memos[0].intent_type])
        for memo in memos:
            request.items.add(id=memo.id, revision=memo.revision,
                              payload_sha256=memo.payload_sha256)
        answer, error, doubts = self.wire.call("BatchApproveDecisionMemos",
                                               request)
        if error is not None:
            raise error
        for memo, result in zip(memos, answer.results, strict=True):
            status = harness.intent_pb2.IntentStatus.Name(result.intent.status)
            is_done = result.status.code == 0
            self.note("APPROVE", memo,
                      "ACKNOWLEDGED" if is_done else result.status.reason,
                      doubts or result.status.code in _CODES_IN_DOUBT,
                      status if is_done else "")

    def take_turn(self, kind, memo_ids):
        """One turn of a kind of person, on one memo or a batch."""
        memos = [self.look(memo_id) for memo_id in memo_ids]
        if kind == "approver":
            self.approve(memos[0])
        elif kind == "editor":
            self.edit(memos[0])
        elif kind == "rejecter":
            self.reject(memos[0])
        else:
            self.approve_batch(memos)
