"""What must hold after chaos beside what checker.py proves of any run: from the
same rows and from what all kinds of clients were answered, without any of the
engine's code.

    ledger = rules.ChaosLedger(people={user_id: {"owner"}})
    ...                                     # the clients note what they see
    for found in rules.violations(checker.read(query), ledger):
        print(found.invariant, found.subject, found.text)

The rules of chaos.sgl are written down here a second time (`expected`), so that
a decision is judged by them and not by what is on record. A client of a new
kind notes what it was answered in a list of its own here, and brings its check
into INVARIANTS, as workers do.
"""
import collections
import dataclasses
import datetime
import json

from tests.chaos import checker
from tests.chaos import money

MICROS = 1_000_000
# Of one tenant's, at once: chaos_test.py declares it.
JOBS_RUNNING_MAX = 6
# What callers may be told; anything else is a mistake of ours.
ANSWERS = {"ALREADY_VOTED", "CONFLICT", "HAS_JOB", "INTENT_FINAL", "KILL_SWITCH",
           "MEMO_CLOSED", "MEMO_EXPIRED", "NOTHING_CHANGED", "NOT_YOUR_INTENT",
           "OTHER_REASONS", "ROLE_MISSING", "SELF_APPROVAL", "STALE_PAYLOAD",
           "STALE_REVISION"}
# And workers, and who cancels what they do.
WORKER_ANSWERS = {"CONFLICT", "LEASE_LOST", "JOB_OVER"}
# And in the middle of chaos, of a try that was not repeated.
_TRANSIENT = {"CANCELLED", "CALL_CANCELED", "COMMIT_IN_DOUBT",
              "DATABASE_UNAVAILABLE", "DEADLINE_EXCEEDED", "DRAINING",
              "NOT_TRIED", "OVERLOADED", "RATE_LIMITED", "UNAVAILABLE",
              "UNKNOWN"}


@dataclasses.dataclass(frozen=True)
class Sighting:
    """An intent as an answer showed it; times are of time.monotonic()."""
    intent_id: str
    status: str
    asked_at: float
    told_at: float


@dataclasses.dataclass
class OffWindow:
    """A time in which a switch was off for certain, as time.time(): from the
    answer that it is, settlements ended, to the first call that ends it."""
    level: str  # platform, tenant or agent
    tenant_id: str
    agent_id: str
    since: float
    until: float


@dataclasses.dataclass
class Reign:
    """A time in which one version of the rules was active for certain, as
    time.time(): from the answer that it is to the first try at another."""
    digest: str
    since: float
    until: float = float("inf")


@dataclasses.dataclass(frozen=True)
class Lease:
    """A job as a worker was handed it; times are of time.time(), which is the
    database's clock, too: both are on one machine."""
    job_id: str
    intent_id: str
    tenant_id: str
    token: str
    attempt: int
    expires_at: float
    told_at: float


@dataclasses.dataclass
class JobReport:
    """What a worker said under a lease, all its tries taken together."""
    verb: str  # CompleteJob, FailJob or HeartbeatJob
    job_id: str
    token: str
    output: str
    retryable: bool
    asked_at: float
    # ACKNOWLEDGED, the reason of the refusal that the last try got, or empty
    # where it got none yet.
    answer: str = ""
    # A try before it was never answered, and may have been done.
    is_in_doubt: bool = False
    # Of a heartbeat that was acknowledged.
    expires_at: float = 0

    @property
    def is_acknowledged(self):
        return self.answer == "ACKNOWLEDGED"

    @property
    def may_be_done(self):
        return self.is_acknowledged or self.is_in_doubt


@dataclasses.dataclass
class ChaosLedger(checker.Ledger):
    """What the clients and the actor know. Guarded by one lock, its users'."""
    # Request ids that were sent at all, and those whose every try was refused.
    asked: set = dataclasses.field(default_factory=set)
    refused: set = dataclasses.field(default_factory=set)
    # Answers to one request id that name different intents.
    contradictions: list = dataclasses.field(default_factory=list)
    # Ids of rows inserted by SQL: tried, and acknowledged.
    insert_tried: set = dataclasses.field(default_factory=set)
    inserted: set = dataclasses.field(default_factory=set)
    # Whose each of these is, by intent id.
    tenants: dict = dataclasses.field(default_factory=dict)
    sightings: list = dataclasses.field(default_factory=list)
    # Ids of intents that were to be canceled, and that acknowledgedly were.
    cancel_tried: set = dataclasses.field(default_factory=set)
    canceled: list = dataclasses.field(default_factory=list)
    # What a call for one tenant told of another.
    leaks: list = dataclasses.field(default_factory=list)
    windows: list = dataclasses.field(default_factory=list)
    reigns: list = dataclasses.field(default_factory=list)
    leases: list = dataclasses.field(default_factory=list)
    job_reports: list = dataclasses.field(default_factory=list)
    # By how many micros budgets were, when somebody looked.
    overspent: list = dataclasses.field(default_factory=list)
    # (method, reason) of answers that no client should get.
    strange: list = dataclasses.field(default_factory=list)

    def note_submission(self, request_id, intent_id, tenant_id):
        known = self.submissions.setdefault(request_id, intent_id)
        if known != intent_id:
            self.contradictions.append((request_id, known, intent_id))
        self.tenants[intent_id] = tenant_id


# --- The rules of chaos.sgl --------------------------------------------------


def expected(intent_type, spend):
    """The decision on an intent, and its demands as (count, roles)."""
    if spend is not None and spend > 1_000_000 * MICROS:
        return "BLOCK", []
    is_big = spend is not None and spend >= 250 * MICROS
    demands = {
        "POST": [(2, frozenset())] if is_big else [],
        "WIRE": [(2, frozenset({"compliance", "owner"}))] if is_big else [],
        "FILING": [(1, frozenset({"privacy"}))],
        "QUICK": [(3, frozenset())],
        "ERRAND": [(1, frozenset())] if is_big else [],
    }.get(intent_type, [])
    return ("REVIEW", demands) if demands else ("ALLOW", [])


def decided_by_the_rules(snapshot, ledger):
    """Each intent that was decided was decided as the rules have it; what they
    forbid was not executed, whoever approved it.
    """
    del ledger
    stories = snapshot.by("entries", "entity_id")
    for intent in snapshot.intents:
        decided = [entry for entry in stories[intent["id"]]
                   if entry["action"] == "SGL_EVALUATED"]
        if not decided:
            continue
        meta = decided[-1]["meta"]
        if meta["revision"] != intent["revision"]:
            yield intent["id"], f"decided as revision {meta['revision']}"
            continue
        kind, demands = expected(intent["intent_type"],
                                 intent["spend_micros_usd"])
        if intent["intent_type"] == "BURST" and kind == "ALLOW":
            if meta["decision"] not in ("ALLOW", "BLOCK"):
                yield intent["id"], f"a BURST decided {meta['decision']}"
            continue  # Which of both, money.limits_are_exact judges.
        told = [(demand["count"], frozenset(demand["roles"]))
                for demand in meta["demands"]] if kind == "REVIEW" else []
        if (meta["decision"], told) != (kind, demands):
            yield intent["id"], (f"{intent['intent_type']} at "
                                 f"{intent['spend_micros_usd']} is {kind}, "
                                 f"decided {meta['decision']} {told}")


# --- Intents are there, once, and come to an end ------------------------------


def came_to_rest(snapshot, ledger):
    """Each intent has an end or waits for people, whose time is not over."""
    del ledger
    for intent in snapshot.intents:
        if intent["status"] not in checker.FINAL + ("AWAITING_HUMAN",):
            yield intent["id"], f"still {intent['status']}"
    for memo in snapshot.memos:
        if memo["status"] == "PROPOSED" and memo["is_long_due"]:
            yield memo["intent_id"], "its memo is open past its time"


# Why an intent may fail here. An end of engines or of the database is no
# reason.
_FAILURES = {"APPROVAL_EXPIRED", "CANCELED", "HUMAN_REJECTED"}
_JOB_FAILURES = {"JOB_FAILED", "JOB_EXHAUSTED_RETRIES"}


def nothing_fails_for_chaos(snapshot, ledger):
    """Each failure has a reason of the intent's own: nothing that could do it,
    or people who did not want it. What nothing can do is never executed.
    """
    for intent in snapshot.intents:
        is_orphan = intent["intent_type"] == "ORPHAN"
        reason = intent["failure_reason"]
        if (reason == "BUDGET_EXCEEDED" and
                intent["intent_type"] in money.SPENDING_TYPES):
            continue
        if reason in _JOB_FAILURES and intent["intent_type"] == "ERRAND":
            continue  # workers_said_so judges it.
        if reason == "NO_EXECUTOR" and not is_orphan or (
                reason not in _FAILURES | {"NO_EXECUTOR", None}):
            yield intent["id"], f"failed with {reason}"
        if reason == "CANCELED" and intent["id"] not in ledger.cancel_tried:
            yield intent["id"], "nobody canceled it"
        if is_orphan and intent["status"] == "EXECUTED":
            yield intent["id"], "executed by nothing"


def waits_for_somebody(snapshot, ledger):
    """What waits for people waits for more than those who approved it."""
    votes = snapshot.by("votes", "intent_id", "revision")
    for intent in snapshot.intents:
        if intent["status"] != "AWAITING_HUMAN":
            continue
        speakers = [(vote["approved_by"],
                     ledger.people.get(vote["approved_by"], set()), {})
                    for vote in votes[intent["id"], intent["revision"]]
                    if vote["verdict"] == "APPROVE"]
        _, demands = expected(intent["intent_type"],
                              intent["spend_micros_usd"])
        if demands and all(
                checker.count_people({"roles": roles}, speakers,
                                     set()) >= count
                for count, roles in demands):
            yield intent["id"], f"waits, though {len(speakers)} approved it"


def one_intent_a_request(snapshot, ledger):
    """A request id stands for one intent, whichever engine was asked; a
    request that was refused, or never made, stands for none.
    """
    for request_id, first, second in ledger.contradictions:
        yield first, f"request {request_id} answered {second}, too"
    by_request = collections.Counter(
        intent["request_id"] for intent in snapshot.intents)
    for intent in snapshot.intents:
        request_id = intent["request_id"]
        if request_id is None:
            if intent["id"] not in ledger.insert_tried:
                yield intent["id"], "nobody inserted it"
        elif by_request[request_id] != 1:
            yield intent["id"], f"one of {by_request[request_id]} of a request"
        elif request_id not in ledger.asked:
            yield intent["id"], "nobody asked for it"
        elif request_id in ledger.refused:
            yield intent["id"], "its request was refused"
    intents = snapshot.by("intents", "id")
    for intent_id in ledger.inserted:
        if not intents[intent_id]:
            yield intent_id, "inserted by SQL, and lost"


def final_states_stay(snapshot, ledger):
    """Who saw an intent at its end saw what it is now, and nobody who asked
    later saw anything else.
    """
    intents = snapshot.by("intents", "id")
    ends = {}
    for seen in sorted(ledger.sightings, key=lambda one: one.told_at):
        if seen.status in checker.FINAL:
            ends.setdefault(seen.intent_id, seen)
    for seen in ledger.sightings:
        row = intents[seen.intent_id]
        if not row:
            yield seen.intent_id, f"was seen {seen.status}, and isn't there"
            continue
        if seen.status in checker.FINAL and row[0]["status"] != seen.status:
            yield seen.intent_id, f"was {seen.status}, is {row[0]['status']}"
        end = ends.get(seen.intent_id)
        if end is not None and seen.asked_at > end.told_at and (
                seen.status != end.status):
            yield seen.intent_id, f"{seen.status} after {end.status}"
    for intent_id in ledger.canceled:
        row = intents[intent_id]
        if not row or row[0]["failure_reason"] != "CANCELED":
            yield intent_id, "canceled for a client, but not on record"


# --- Jobs --------------------------------------------------------------------


def one_worker_at_a_time(snapshot, ledger):
    """Nobody is handed a job that is in another's hands, or the same try twice,
    and never are more of them in workers' hands than may be.
    """
    extended = {}
    for report in ledger.job_reports:
        if report.verb == "HeartbeatJob":
            extended[report.token] = max(extended.get(report.token, 0),
                                         report.expires_at)
    given_up = {report.token for report in ledger.job_reports
                if report.verb == "FailJob"}
    held = collections.defaultdict(list)
    for lease in sorted(ledger.leases, key=lambda one: one.told_at):
        for before in held[lease.job_id]:
            ends_at = max(before.expires_at, extended.get(before.token, 0))
            if lease.token == before.token or lease.attempt == before.attempt:
                yield lease.intent_id, f"try {lease.attempt} given out twice"
            elif before.token not in given_up and lease.told_at < ends_at:
                yield lease.intent_id, (
                    f"given out {ends_at - lease.told_at:.3f} s before its "
                    "lease ended")
        held[lease.job_id].append(lease)
    yield from _too_many_running(snapshot)


def _too_many_running(snapshot):
    """What entries alone say: a heartbeat makes a lease longer than that."""
    running = collections.defaultdict(dict)
    for entry in snapshot.job_entries:
        jobs = running[entry["tenant_id"]]
        if entry["action"] != "JOB_LEASED":
            jobs.pop(entry["entity_id"], None)
            continue
        now = _time_of(entry)
        jobs[entry["entity_id"]] = datetime.datetime.fromisoformat(
            entry["meta"]["lease_expires_at"]).timestamp()
        count = sum(ends_at > now for ends_at in jobs.values())
        if count > JOBS_RUNNING_MAX:
            yield entry["entity_id"], f"one of {count} in workers' hands"


def leases_are_fences(snapshot, ledger):
    """Only who holds a job completes it, once, and what it said stands."""
    jobs = snapshot.by("jobs", "id")
    ends_at = {lease.token: lease.expires_at for lease in ledger.leases}
    done = {}
    for report in ledger.job_reports:
        if report.verb == "HeartbeatJob" and report.may_be_done:
            # In doubt it may have made the lease as long as it likes.
            ends_at[report.token] = max(ends_at[report.token],
                                        report.expires_at or float("inf"))
    for report in ledger.job_reports:
        if report.verb != "CompleteJob" or not report.may_be_done:
            continue
        first = done.setdefault(report.job_id, report)
        if not report.is_acknowledged:
            continue
        is_late = report.asked_at > ends_at[report.token]
        is_repeat = first is not report and first.token == report.token
        if is_late and not is_repeat:
            yield report.job_id, "completed after its lease"
        for job in jobs[report.job_id]:
            if job["status"] != "succeeded":
                yield job["intent_id"], f"completed, and is {job['status']}"
            elif json.loads(job["output"]) != json.loads(report.output):
                yield job["intent_id"], (f"completed as {report.output}, is "
                                         f"{job['output']}")


def workers_said_so(snapshot, ledger):
    """What became of a job is what a worker said, or what its leases came to."""
    reports = collections.defaultdict(list)
    for report in ledger.job_reports:
        if report.may_be_done:
            reports[report.job_id].append(report)
    leased = collections.Counter(
        entry["entity_id"] for entry in snapshot.job_entries
        if entry["action"] == "JOB_LEASED")
    intents = snapshot.by("intents", "id")
    for job in snapshot.jobs:
        said = reports[job["id"]]
        reason = intents[job["intent_id"]][0]["failure_reason"]
        if job["status"] == "succeeded" and not any(
                report.verb == "CompleteJob" for report in said):
            yield job["intent_id"], "nobody completed it"
        if reason == "JOB_FAILED" and not any(
                report.verb == "FailJob" and not report.retryable
                for report in said):
            yield job["intent_id"], "nobody gave it up"
        if leased[job["id"]] > job["max_retries"] + 1:
            yield job["intent_id"], f"given out {leased[job['id']]} times"
        if (reason == "JOB_EXHAUSTED_RETRIES" and
                leased[job["id"]] != job["max_retries"] + 1):
            yield job["intent_id"], (f"exhausted after {leased[job['id']]} "
                                     "tries")


# --- Tenants, switches, answers ----------------------------------------------


def nobody_saw_anothers(snapshot, ledger):
    """No call for one tenant told anything of another, and what was submitted
    for a tenant is that tenant's.
    """
    for leak in ledger.leaks:
        yield leak, "told to another tenant"
    for intent in snapshot.intents:
        tenant = ledger.tenants.get(intent["id"])
        if tenant is not None and tenant != intent["tenant_id"]:
            yield intent["id"], f"is of {intent['tenant_id']}, not {tenant}"


# What a switch that is off forbids. Submissions, cancellations and expiries go
# on.
_FORBIDDEN = {"ENGINE_CLAIMED_INTENT", "SGL_EVALUATED", "ENGINE_EXECUTED_INTENT",
              "DECISION_MEMO_OPENED", "DECISION_MEMO_REOPENED",
              "DECISION_MEMO_APPROVED", "DECISION_MEMO_REJECTED",
              "DECISION_MEMO_EDITED", "VOTE_COUNTED", "JOB_ENQUEUED",
              "JOB_LEASED"}


def off_means_off(snapshot, ledger):
    """While a switch was off for certain, nothing below it was decided, voted
    on, handed out or executed. What a worker had in hand it may complete.
    """
    intents = snapshot.by("intents", "id")
    jobs = snapshot.by("jobs", "intent_id")
    entries = [(_time_of(entry), entry)
               for entry in snapshot.entries + snapshot.job_entries
               if entry["action"] in _FORBIDDEN and not (
                   entry["action"] == "ENGINE_EXECUTED_INTENT" and
                   jobs[entry["entity_id"]])]
    for window in ledger.windows:
        for time, entry in entries:
            if not window.since < time < window.until:
                continue
            intent = intents[entry["meta"].get("intent_id",
                                               entry["entity_id"])]
            agent = intent[0]["agent_id"] if intent else None
            if window.level == "platform" or (
                    entry["tenant_id"] == window.tenant_id and
                    window.agent_id in ("", agent)):
                yield entry["entity_id"], (
                    f"{entry['action']} while the {window.level} was off")


def _time_of(entry):
    return datetime.datetime.fromisoformat(entry["created_at"]).timestamp()


def decided_under_the_active_rules(snapshot, ledger):
    """While a version of the rules was active for certain, nothing was decided
    under another.
    """
    decisions = [(_time_of(entry), entry) for entry in snapshot.entries
                 if entry["action"] == "SGL_EVALUATED"]
    for reign in ledger.reigns:
        for time, entry in decisions:
            digest = entry["meta"]["policy_digest"]
            if reign.since < time < reign.until and digest != reign.digest:
                yield entry["entity_id"], (
                    f"decided under {digest} while {reign.digest} was active")


def answers_make_sense(snapshot, ledger):
    """Nobody was answered what is nobody's answer, INTERNAL above all."""
    del snapshot
    for method, reason in ledger.strange:
        yield method, f"answered {reason}"
    for act in ledger.acts:
        if not act.is_acknowledged and act.answer not in ANSWERS | _TRANSIENT:
            yield act.memo_id, f"{act.verb} answered {act.answer}"


INVARIANTS = {check.__name__: check for check in (
    decided_by_the_rules, came_to_rest, nothing_fails_for_chaos,
    waits_for_somebody, one_intent_a_request, final_states_stay,
    one_worker_at_a_time, leases_are_fences, workers_said_so,
    money.spends_are_entered, money.budgets_hold, money.limits_are_exact,
    nobody_saw_anothers, off_means_off, decided_under_the_active_rules,
    answers_make_sense)}


def violations(snapshot, ledger):
    """Those of any run, then those of chaos."""
    return checker.violations(snapshot, ledger) + [
        checker.Violation(name, str(subject), text)
        for name, check in INVARIANTS.items()
        for subject, text in check(snapshot, ledger)]
