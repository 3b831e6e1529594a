"""Workers of the chaos suite: they lease jobs and complete them, once or twice,
in time or after their lease, fail them, keep them, or die with them; and note
what they were told.

    fleet = clients.Fleet(...)         # has workers beside its other clients
    ...
    workers.finish_jobs(lines, towns, database, ledger)   # at rest: all ends

Each turn is one of KINDS, by weight.
"""
import json
import threading
import time

import grpc

from tests.chaos import calls
from tests.chaos import database
from tests.chaos import money
from tests.chaos import rules
from tests.e2e import harness

# What they lease; chaos_test.py declares it.
JOB_TYPE = "ERRAND"
RETRIES_MAX = 3
# As many as keep that up and still find jobs of each other.
WORKERS = 4
_JOBS_AT_ONCE = 2
_LEASE_SECONDS = (1, 2, 3)
_WAIT_SECONDS = 1
# How much longer than its lease who dawdles takes.
_LATE_SECONDS = 0.2
_HURRY_SHARE = 0.1
# At rest: leases of a few seconds end, then one more try each.
_FINISH_SECONDS_MAX = 60
_PAUSE_SECONDS = 0.2

_pb = harness.job_service_pb2

# Retries wait for 10 s and more; that time is made to pass, by nobody whom the
# triggers know.
_HURRY = ("SET session_replication_role = replica; "
          "UPDATE jobs SET next_retry_at = engine_now() "
          "WHERE status = 'queued' AND next_retry_at > engine_now()")


class Worker:
    """One worker of one tenant, confined to its thread."""

    def __init__(self, fleet, number, town, rng):
        self._fleet = fleet
        self._ledger = fleet.ledger
        self._lock = fleet.lock
        self._rng = rng
        self._wire = fleet.wire(number, town.worker_token)
        self._operator_wire = fleet.wire(number, town.operator_token)
        self._town = town
        self._is_over = fleet.is_over

    def take_turn(self):
        for lease in self.lease():
            kind = self._rng.choices(list(KINDS), list(KINDS.values()))[0]
            kind(self, lease)
        if self._rng.random() < _HURRY_SHARE:
            try:
                self._fleet.database.query(_HURRY)
                micros = int(self._fleet.database.query(money.RAISE_BUDGETS))
                if micros > 0:
                    with self._lock:
                        self._ledger.overspent.append(micros)
            except database.SqlError:
                pass  # The database is away; so are the retries.

    def lease(self):
        """What is due, as noted."""
        request = _pb.LeaseJobsRequest(job_types=[JOB_TYPE],
                                       max_jobs=_JOBS_AT_ONCE)
        request.lease.FromSeconds(self._rng.choice(_LEASE_SECONDS))
        request.wait.FromSeconds(_WAIT_SECONDS)
        answer, error, _ = self._wire.call("LeaseJobs", request)
        if error is not None:
            self._note_strange("LeaseJobs", error)
            return []
        told_at = time.time()
        leases = [rules.Lease(
            lease.job_id, lease.intent_id, self._town.tenant_id,
            lease.lease_token, lease.attempt,
            lease.lease_expire_time.ToNanoseconds() / 1e9, told_at)
            for lease in answer.leases]
        with self._lock:
            self._ledger.leases += leases
        return leases

    def _note_strange(self, method, error):
        reason = calls.reason_of(error)
        if reason not in rules.WORKER_ANSWERS:
            with self._lock:
                self._ledger.strange.append((method, f"{reason}: {error}"))

    def _report(self, verb, lease, *, output="", retryable=False):
        """Says something under a lease, until an engine answers; notes it."""
        key = {"id": lease.job_id, "lease_token": lease.token}
        if verb == "CompleteJob":
            request = _pb.CompleteJobRequest(output=output, **key)
        elif verb == "FailJob":
            request = _pb.FailJobRequest(error="the suite says so",
                                         retryable=retryable, **key)
        else:
            request = _pb.HeartbeatJobRequest(**key)
            request.lease.FromSeconds(max(_LEASE_SECONDS))
        # Noted before it is asked: it may be done without an answer.
        report = rules.JobReport(verb, lease.job_id, lease.token, output,
                                 retryable, time.time())
        with self._lock:
            self._ledger.job_reports.append(report)
        answer, error, doubts = self._wire.call(verb, request)
        report.is_in_doubt = doubts > 0
        report.answer = ("ACKNOWLEDGED" if error is None
                         else calls.reason_of(error))
        if error is not None:
            self._note_strange(verb, error)
        elif verb == "HeartbeatJob":
            report.expires_at = answer.lease_expire_time.ToNanoseconds() / 1e9

    def _an_output(self):
        return json.dumps({"done": f"{self._rng.getrandbits(64):x}"})

    # --- What a worker does with a job ---

    def complete(self, lease):
        self._report("CompleteJob", lease, output=self._an_output())

    def complete_again(self, lease):
        """The same words twice, then other ones."""
        output = self._an_output()
        self._report("CompleteJob", lease, output=output)
        self._report("CompleteJob", lease, output=output)
        self._report("CompleteJob", lease, output=self._an_output())

    def complete_and_fail(self, lease):
        self._report("CompleteJob", lease, output=self._an_output())
        self._report("FailJob", lease, retryable=True)

    def keep(self, lease):
        self._report("HeartbeatJob", lease)
        self.complete(lease)

    def dawdle(self, lease):
        """Stalls past its lease, and answers as if nothing were."""
        self._is_over.wait(
            max(0, lease.expires_at - time.time()) + _LATE_SECONDS)
        self.complete(lease)

    def crash(self, lease):
        """Is never heard of again."""

    def fail(self, lease):
        self._report("FailJob", lease, retryable=True)

    def fail_for_good(self, lease):
        self._report("FailJob", lease, retryable=False)

    def guess(self, lease):
        """Says what it likes of a job that it was handed before."""
        with self._lock:
            known = [one for one in self._ledger.leases
                     if one.job_id == lease.job_id]
        self._report("CompleteJob", known[0], output=self._an_output())
        self.complete(lease)

    def be_canceled(self, lease):
        with self._lock:
            self._ledger.cancel_tried.add(lease.intent_id)
        _, error, _ = self._operator_wire.call(
            "CancelJob", _pb.CancelJobRequest(id=lease.job_id))
        if error is not None:
            self._note_strange("CancelJob", error)
        else:
            with self._lock:
                self._ledger.canceled.append(lease.intent_id)
        self.complete(lease)


# How often each is what becomes of a job.
KINDS = {Worker.complete: 8, Worker.complete_again: 4,
         Worker.complete_and_fail: 2, Worker.keep: 3, Worker.dawdle: 4,
         Worker.crash: 3, Worker.fail: 4, Worker.fail_for_good: 1,
         Worker.guess: 3, Worker.be_canceled: 1}


def finish_jobs(lines, towns, database_, ledger, seconds=_FINISH_SECONDS_MAX):
    """Completes all jobs that are left, as their leases end; or for so long."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    wires = [calls.Wire(lines, 0, town.worker_token,
                        pause=lambda: pause.wait(_PAUSE_SECONDS))
             for town in towns]
    while time.monotonic() < deadline and database_.query(
            "SELECT EXISTS (SELECT FROM jobs "
            "WHERE status IN ('queued', 'running'))") == "t":
        database_.query(_HURRY)
        for town, wire in zip(towns, wires, strict=True):
            _finish_some(wire, town, ledger)
        pause.wait(_PAUSE_SECONDS)


def _finish_some(wire, town, ledger):
    answer, error, _ = wire.call("LeaseJobs", _pb.LeaseJobsRequest(
        job_types=[JOB_TYPE], max_jobs=100))
    if error is not None:
        return
    for lease in answer.leases:
        ledger.leases.append(rules.Lease(
            lease.job_id, lease.intent_id, town.tenant_id, lease.lease_token,
            lease.attempt, lease.lease_expire_time.ToNanoseconds() / 1e9,
            time.time()))
        report = rules.JobReport("CompleteJob", lease.job_id,
                                 lease.lease_token, "{}", False, time.time())
        ledger.job_reports.append(report)
        _, error, doubts = wire.call("CompleteJob", _pb.CompleteJobRequest(
            id=lease.job_id, lease_token=lease.lease_token, output="{}"))
        report.is_in_doubt = doubts > 0
        report.answer = ("ACKNOWLEDGED" if error is None
                         else calls.reason_of(error))
