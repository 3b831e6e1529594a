"""Proves from the outside what must always hold (ARCHITECTURE.md): from rows
read past all row security and from what the clients were answered.

    snapshot = checker.read(query)     # query(sql) answers one text
    ledger = checker.Ledger(people={user_id: {"compliance"}})
    ledger.note(checker.Act("APPROVE", user_id, memo_id, ...))
    for found in checker.violations(snapshot, ledger):
        print(found.invariant, found.subject, found.text)

It shares no code with the engine: what makes a story whole, a vote good or a
demand met is written down here a second time. INVARIANTS names each; each is a
generator over the snapshot and the ledger, which a test may also change to see
that the invariant can fail.
"""
import collections
import dataclasses
import json

FINAL = ("EXECUTED", "FAILED", "BLOCKED_SGL")

# What one statement reads stands as of one moment.
_READ = """
SELECT json_build_object(
  'intents', (SELECT coalesce(json_agg(to_json(i) ORDER BY i.id), '[]') FROM (
    SELECT id, tenant_id, agent_id, intent_type, status, sgl_result, revision,
           edited_by, payload_sha256, policy_digest, decision_memo_id,
           failure_reason, transition_number, request_id, submitted_by_token,
           spend_micros_usd,
           encode(sha256(convert_to(payload_raw, 'UTF8')), 'hex') AS raw_sha256
    FROM intents) AS i),
  'revisions', (SELECT coalesce(json_agg(to_json(r)), '[]') FROM (
    SELECT tenant_id, intent_id, revision, intent_type, payload_sha256,
           edited_by,
           encode(sha256(convert_to(payload_raw, 'UTF8')), 'hex') AS raw_sha256
    FROM intent_revisions) AS r),
  'memos', (SELECT coalesce(json_agg(to_json(m)), '[]') FROM (
    SELECT id, tenant_id, intent_id, status, resolution, revision,
           payload_sha256, policy_digest,
           coalesce(expires_at < engine_now() - interval '10 seconds', false)
             AS is_long_due
    FROM decision_memos WHERE intent_id IS NOT NULL) AS m),
  'votes', (SELECT coalesce(json_agg(to_json(v) ORDER BY v.created_at), '[]')
    FROM (
    SELECT id, tenant_id, intent_id, memo_id, intent_type, payload_hash,
           approved_by, revision, verdict, comment, roles, delegation_ids,
           created_at
    FROM approvals) AS v),
  'entries', (SELECT coalesce(json_agg(to_json(a)
                              ORDER BY a.entity_id, a.transition_number), '[]')
    FROM (
    SELECT tenant_id, actor_user_id, action, entity_type, entity_id, meta,
           transition_number, created_at
    FROM audit_log
    WHERE entity_type IN ('intent', 'decision_memo')) AS a),
  'delegations', (SELECT coalesce(json_agg(to_json(d)), '[]') FROM (
    SELECT d.id, d.from_user_id, d.to_user_id, d.roles,
           (SELECT coalesce(json_agg(v.id), '[]') FROM approvals AS v
            WHERE d.id = ANY (v.delegation_ids)
              AND v.created_at >= d.starts_at AND v.created_at < d.ends_at
              AND (d.revoked_at IS NULL OR v.created_at < d.revoked_at)
           ) AS votes_in_time
    FROM approval_delegations AS d) AS d),
  'escalations', (SELECT coalesce(json_agg(to_json(e)), '[]') FROM (
    SELECT memo_id, revision, from_role, to_role
    FROM memo_escalations) AS e),
  'agents', (SELECT coalesce(json_agg(to_json(a)), '[]') FROM (
    SELECT id, owner_user_id FROM agent_registry) AS a),
  'tokens', (SELECT coalesce(json_agg(to_json(t)), '[]') FROM (
    SELECT id, issued_by FROM api_tokens) AS t),
  'jobs', (SELECT coalesce(json_agg(to_json(j)), '[]') FROM (
    SELECT id, tenant_id, intent_id, job_type, status, max_retries,
           output::text AS output
    FROM jobs) AS j),
  'job_entries', (SELECT coalesce(json_agg(to_json(a) ORDER BY a.created_at),
                                  '[]') FROM (
    SELECT tenant_id, action, entity_id, meta, created_at
    FROM audit_log WHERE entity_type = 'job') AS a),
  'spends', (SELECT coalesce(json_agg(to_json(s)), '[]') FROM (
    SELECT tenant_id, intent_id, spend_micros_usd, status
    FROM intent_spends) AS s),
  'ledger_entries', (SELECT coalesce(json_agg(to_json(l)), '[]') FROM (
    SELECT tenant_id, intent_id, amount_cents, spend_micros_usd
    FROM ledger_entries WHERE intent_id IS NOT NULL) AS l),
  'budgets', (SELECT coalesce(json_agg(to_json(b)), '[]') FROM (
    SELECT tenant_id, limit_cents FROM budgets) AS b))
"""


class Snapshot:
    """The rows, as dictionaries, and the ways in that invariants need.

    Immutable once something was looked up: what plants a violation changes the
    rows of a new one.
    """

    def __init__(self, rows):
        self.rows = rows
        self._ways_in = {}

    def __getattr__(self, table):
        if table.startswith("_"):
            raise AttributeError(table)
        return self.rows[table]

    def by(self, table, *columns):
        """Rows of a table in lists, by the values of some columns."""
        found = self._ways_in.get((table, columns))
        if found is None:
            found = collections.defaultdict(list)
            for row in self.rows[table]:
                key = tuple(row[column] for column in columns)
                found[key[0] if len(key) == 1 else key].append(row)
            self._ways_in[table, columns] = found
        return found

    def by_revision(self):
        """Rows of intents and of what edits replaced, by (intent, revision)."""
        found = self._ways_in.get("revisions")
        if found is None:
            found = {(row["intent_id"], row["revision"]): row
                     for row in self.rows["revisions"]}
            found |= {(row["id"], row["revision"]): row
                      for row in self.rows["intents"]}
            self._ways_in["revisions"] = found
        return found


@dataclasses.dataclass
class Act:
    """What one person asked for, all its tries taken together."""
    verb: str  # APPROVE, REJECT or EDIT
    user_id: str
    memo_id: str
    revision: int
    payload_sha256: str
    # ACKNOWLEDGED, or the reason of the refusal that the last try got.
    answer: str = ""
    # A try before it was never answered, and may have been done.
    in_doubt: bool = False
    # For an edit: the hash of what it makes.
    new_payload_sha256: str = ""
    # The intent's state in an answer that acknowledges.
    status: str = ""

    @property
    def is_acknowledged(self):
        return self.answer == "ACKNOWLEDGED"


@dataclasses.dataclass
class Ledger:
    """What the clients know: whom the test made, what they were answered."""
    # Roles of each user id. Who isn't in it may vote nowhere.
    people: dict
    # Intent ids by request id, as acknowledged.
    submissions: dict = dataclasses.field(default_factory=dict)
    acts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Violation:
    invariant: str
    subject: str
    text: str


def read(query):
    return Snapshot(json.loads(query(" ".join(_READ.split()))))


# --- The state machine -------------------------------------------------------

# What may follow what, by the state that the entries so far lead to. A state
# with a decision in it lasts for no longer than its transaction.
_STEPS = {
    ("", "INTENT_SUBMITTED"): "DRAFT",
    ("DRAFT", "ENGINE_CLAIMED_INTENT"): "CLAIMED",
    ("DRAFT", "ENGINE_FAILED"): "FAILED",
    ("CLAIMED", "ENGINE_FAILED"): "FAILED",
    ("DRAFT", "INTENT_CANCELED"): "FAILED",
    ("REVIEW", "DECISION_MEMO_OPENED"): "AWAITING_HUMAN",
    ("AWAITING_HUMAN", "DECISION_MEMO_APPROVED"): "APPROVED",
    ("AWAITING_HUMAN", "DECISION_MEMO_EDITED"): "EDITED",
    ("AWAITING_HUMAN", "DECISION_MEMO_REJECTED"): "FAILED",
    ("AWAITING_HUMAN", "DECISION_MEMO_EXPIRED"): "FAILED",
    ("AWAITING_HUMAN", "INTENT_CANCELED"): "FAILED",
    ("APPROVED REVIEW", "DECISION_MEMO_REOPENED"): "AWAITING_HUMAN",
    ("EDITED REVIEW", "DECISION_MEMO_REOPENED"): "AWAITING_HUMAN",
}
# From which a decision is taken, and what its entries are prefixed with.
_DECIDED_FROM = {"DRAFT": "", "CLAIMED": "", "APPROVED": "APPROVED ",
                 "EDITED": "EDITED "}
# Decisions that let the effect happen. A REVIEW does with votes alone, and
# nobody voted on what an edit made just now.
_AUTHORITY = ("ALLOW", "APPROVED ALLOW", "APPROVED REVIEW", "EDITED ALLOW")


def step(state, entry):
    """The state after an entry, or None where it may not stand there."""
    action = entry["action"]
    if action == "SGL_EVALUATED" and state in _DECIDED_FROM:
        decision = entry["meta"]["decision"]
        if decision == "BLOCK":
            return "BLOCKED_SGL"
        return _DECIDED_FROM[state] + decision
    if state in _AUTHORITY:
        if action == "ENGINE_EXECUTED_INTENT":
            return "EXECUTED"
        if action == "ENGINE_FAILED":
            return "FAILED"
        if action == "INTENT_CANCELED":
            return "FAILED"  # Its job was.
    return _STEPS.get((state, action))


def one_outcome(snapshot, ledger):
    """Entries tell the state machine's story, and end where the row stands.

    No state after a final one, so no intent has two outcomes.
    """
    del ledger
    stories = snapshot.by("entries", "entity_id")
    for intent in snapshot.intents:
        state = ""
        told = []
        for entry in stories[intent["id"]]:
            if entry["transition_number"] is None:
                continue
            told.append(entry["action"])
            after = step(state, entry)
            if after is None:
                yield intent["id"], f"{' '.join(told)}: after {state or 'none'}"
                break
            state = after
        else:
            if state != intent["status"]:
                yield intent["id"], (f"entries end as {state or 'none'}, the "
                                     f"row is {intent['status']}")


def counted_transitions(snapshot, ledger):
    """Transitions are numbered from 1 without a gap, as the row counts."""
    del ledger
    stories = snapshot.by("entries", "entity_id")
    for intent in snapshot.intents:
        numbers = [entry["transition_number"]
                   for entry in stories[intent["id"]]
                   if entry["transition_number"] is not None]
        if numbers != list(range(1, intent["transition_number"] + 1)):
            yield intent["id"], (f"numbers {numbers}, the row counts "
                                 f"{intent['transition_number']}")


def memo_goes_with_intent(snapshot, ledger):
    """One memo an intent, open while it waits, ended as the intent did."""
    del ledger
    memos = snapshot.by("memos", "intent_id")
    for intent in snapshot.intents:
        found = memos[intent["id"]]
        if len(found) != (intent["decision_memo_id"] is not None):
            yield intent["id"], f"{len(found)} memos"
            continue
        if not found:
            continue
        memo = found[0]
        outcome = intent["failure_reason"] or intent["status"]
        is_open = memo["status"] == "PROPOSED"
        if is_open != (intent["status"] == "AWAITING_HUMAN"):
            yield intent["id"], f"{memo['status']} memo of {outcome}"
        if is_open and (memo["revision"] != intent["revision"] or
                        memo["payload_sha256"] != intent["payload_sha256"]):
            yield intent["id"], "the memo is of another revision"
        if memo["resolution"] in ("HUMAN_REJECTED", "APPROVAL_EXPIRED",
                                  "CANCELED", "BLOCKED_SGL"):
            if memo["resolution"] != outcome or memo["status"] != "REJECTED":
                yield intent["id"], f"{memo['resolution']} memo of {outcome}"
        elif not is_open and (
                memo["status"] != "APPROVED" or
                intent["status"] not in ("EXECUTED", "FAILED", "VALIDATING")):
            yield intent["id"], f"{memo['resolution']} memo of {outcome}"


def one_effect(snapshot, ledger):
    """An intent is executed once, and has one job at most."""
    del ledger
    for intent_id, jobs in snapshot.by("jobs", "intent_id").items():
        if intent_id is not None and len(jobs) > 1:
            yield intent_id, f"{len(jobs)} jobs"
    for (action, intent_id), entries in snapshot.by(
            "entries", "action", "entity_id").items():
        if action == "ENGINE_EXECUTED_INTENT" and len(entries) > 1:
            yield intent_id, f"{action} {len(entries)} times"


# How a job that stands so leaves its intent.
_JOB_ENDS = {"queued": {"VALIDATING"}, "running": {"VALIDATING"},
             "succeeded": {"EXECUTED"},
             "failed": {"JOB_FAILED", "JOB_EXHAUSTED_RETRIES"},
             "canceled": {"CANCELED"}}
_JOB_OVER = {"succeeded": "JOB_SUCCEEDED", "canceled": "JOB_CANCELED"}


def job_goes_with_intent(snapshot, ledger):
    """A job ends once, and its intent as it did."""
    del ledger
    intents = snapshot.by("intents", "id")
    entries = snapshot.by("job_entries", "entity_id")
    for job in snapshot.jobs:
        for intent in intents[job["intent_id"]]:
            outcome = intent["failure_reason"] or intent["status"]
            if outcome not in _JOB_ENDS[job["status"]]:
                yield intent["id"], f"{job['status']} job of {outcome}"
        actions = collections.Counter(
            entry["action"] for entry in entries[job["id"]])
        for status, action in _JOB_OVER.items():
            if actions[action] != (job["status"] == status):
                yield job["intent_id"], (f"{action} {actions[action]} times, "
                                         f"the job is {job['status']}")


# --- Authority ---------------------------------------------------------------


def _barred(snapshot, intent, revision):
    """Who may not speak on a revision: its causers and its editor."""
    agents = snapshot.by("agents", "id")
    tokens = snapshot.by("tokens", "id")
    editor = snapshot.by_revision().get((intent["id"], revision), {})
    barred = {editor.get("edited_by")}
    barred |= {row["owner_user_id"] for row in agents[intent["agent_id"]]}
    barred |= {row["issued_by"]
               for row in tokens[intent["submitted_by_token"]]}
    return barred - {None}


def _lent(snapshot, ledger, vote):
    """Roles that others lent to a voter when they voted, by lender."""
    lent = {}
    for row in snapshot.delegations:
        if (row["id"] in vote["delegation_ids"] and
                row["to_user_id"] == vote["approved_by"] and
                vote["id"] in row["votes_in_time"]):
            held = ledger.people.get(row["from_user_id"], set())
            lent[row["from_user_id"]] = held & set(row["roles"] or held)
    return lent


def count_people(demand, speakers, barred):
    """How many people meet a demand: those who fit it, and the most lenders
    in whose stead others can be said to speak, one for each.

    `speakers` is a list of (user id, their roles, lent roles by lender).
    """
    wanted = set(demand["roles"])
    own = {user for user, roles, _ in speakers if not wanted or wanted & roles}
    places = {}

    def place(lenders, tried):
        for lender in lenders:
            if lender in tried:
                continue
            tried.add(lender)
            if lender not in places or place(places[lender], tried):
                places[lender] = lenders
                return True
        return False

    others = {user: lent for user, _, lent in speakers if user not in own}
    return len(own) + sum(
        place([lender for lender, roles in lent.items()
               if wanted & roles and lender not in barred | own], set())
        for lent in others.values())


def _demands(snapshot, entry, memo_id, revision):
    """What a decision demanded, and escalations added."""
    added = collections.defaultdict(set)
    for row in snapshot.escalations:
        if row["memo_id"] == memo_id and row["revision"] == revision:
            added[row["from_role"]].add(row["to_role"])
    return [{"count": demand["count"],
             "roles": set(demand["roles"]).union(
                 *(added[role] for role in demand["roles"]))}
            for demand in entry["meta"]["demands"]]


def authority(snapshot, ledger):
    """EXECUTED was allowed, or different people of the roles demanded approved
    this very revision and payload, none of them on what was their own.
    """
    votes = snapshot.by("votes", "intent_id", "revision")
    stories = snapshot.by("entries", "entity_id")
    for intent in snapshot.intents:
        if intent["status"] not in ("EXECUTED", "VALIDATING"):
            continue
        decided = [entry for entry in stories[intent["id"]]
                   if entry["action"] == "SGL_EVALUATED"]
        if not decided:
            yield intent["id"], "no decision"
            continue
        meta = decided[-1]["meta"]
        if (meta["revision"] != intent["revision"] or
                meta["payload_sha256"] != intent["payload_sha256"] or
                meta["policy_digest"] != intent["policy_digest"] or
                meta["decision"] != intent["sgl_result"]):
            yield intent["id"], "decided as something else"
        if meta["decision"] == "ALLOW":
            continue
        if meta["decision"] != "REVIEW":
            yield intent["id"], f"executed on {meta['decision']}"
            continue
        barred = _barred(snapshot, intent, intent["revision"])
        speakers = [
            (vote["approved_by"],
             ledger.people.get(vote["approved_by"], set()),
             _lent(snapshot, ledger, vote))
            for vote in votes[intent["id"], intent["revision"]]
            if vote["verdict"] == "APPROVE" and
            vote["payload_hash"] == intent["payload_sha256"] and
            vote["approved_by"] in ledger.people and
            vote["approved_by"] not in barred]
        for demand in _demands(snapshot, decided[-1],
                               intent["decision_memo_id"],
                               intent["revision"]):
            people = count_people(demand, speakers, barred)
            if people < demand["count"]:
                yield intent["id"], (
                    f"{people} of {demand['count']} of "
                    f"{sorted(demand['roles']) or 'anybody'}")


# --- Votes and edits ---------------------------------------------------------


def votes_are_bound(snapshot, ledger):
    """A vote is for a revision that there was, by its hash, one a person, of
    a member who is not barred; a rejection says why.
    """
    revisions = snapshot.by_revision()
    intents = snapshot.by("intents", "id")
    seen = set()
    for vote in snapshot.votes:
        subject = vote["id"]
        key = (vote["intent_id"], vote["revision"])
        if key + (vote["approved_by"],) in seen:
            yield subject, "the person's second vote on the revision"
        seen.add(key + (vote["approved_by"],))
        row = revisions.get(key)
        if row is None:
            yield subject, f"there is no revision {vote['revision']}"
            continue
        if (vote["payload_hash"] != row["payload_sha256"] or
                vote["intent_type"] != row["intent_type"]):
            yield subject, "of another payload or type than the revision's"
        intent = intents[vote["intent_id"]][0]
        if vote["memo_id"] != intent["decision_memo_id"]:
            yield subject, "on another intent's memo"
        if vote["approved_by"] in _barred(snapshot, intent, vote["revision"]):
            yield subject, "a vote on one's own"
        held = ledger.people.get(vote["approved_by"])
        if held is None or not held >= set(vote["roles"] or ()):
            yield subject, f"by {vote['roles']}, holding {held}"
        if vote["verdict"] == "REJECT" and not vote["comment"]:
            yield subject, "a rejection without a reason"


# Which entries account for a vote: on its memo, or on the intent that it
# moved.
_VOTE_ENTRIES = {"VOTE_COUNTED": "APPROVE", "DECISION_MEMO_APPROVED": "APPROVE",
                 "DECISION_MEMO_REJECTED": "REJECT"}


def votes_are_on_record(snapshot, ledger):
    """Each vote has exactly one entry, each such entry its vote."""
    del ledger
    entries = collections.Counter(
        (entry["meta"]["memo_id"], entry["meta"]["revision"],
         entry["meta"]["payload_sha256"], entry["actor_user_id"],
         _VOTE_ENTRIES[entry["action"]])
        for entry in snapshot.entries if entry["action"] in _VOTE_ENTRIES)
    votes = collections.Counter(
        (vote["memo_id"], vote["revision"], vote["payload_hash"],
         vote["approved_by"], vote["verdict"]) for vote in snapshot.votes)
    for key in entries.keys() | votes.keys():
        if entries[key] != 1 or votes[key] != 1:
            yield key[0], (f"{key[4]} of {key[3]} on revision {key[1]}: "
                           f"{votes[key]} votes, {entries[key]} entries")


def edits_are_on_record(snapshot, ledger):
    """Each revision but the first has its entry, and what it replaced is kept
    to the byte.
    """
    del ledger
    revisions = snapshot.by_revision()
    stories = snapshot.by("entries", "entity_id")
    for row in revisions.values():
        if row["raw_sha256"] != row["payload_sha256"]:
            yield row.get("intent_id", row.get("id")), "the hash is another's"
    for intent in snapshot.intents:
        edits = [entry for entry in stories[intent["id"]]
                 if entry["action"] == "DECISION_MEMO_EDITED"]
        if len(edits) != intent["revision"] - 1:
            yield intent["id"], (f"{len(edits)} edits, but revision "
                                 f"{intent['revision']}")
        for number, entry in enumerate(edits, 2):
            before = revisions.get((intent["id"], number - 1))
            after = revisions.get((intent["id"], number))
            meta = entry["meta"]
            if before is None or after is None or (
                    meta["revision"], meta["old_revision"],
                    meta["old_payload_sha256"], meta["payload_sha256"],
                    entry["actor_user_id"]) != (
                        number, number - 1, before["payload_sha256"],
                        after["payload_sha256"], after["edited_by"]):
                yield intent["id"], f"revision {number} is not as its entry"


# --- Tenants -----------------------------------------------------------------


def tenants_apart(snapshot, ledger):
    """Whatever hangs on an intent is of its tenant."""
    del ledger
    tenant = {intent["id"]: intent["tenant_id"] for intent in snapshot.intents}
    for table in ("memos", "votes", "revisions", "jobs"):
        for row in snapshot.rows[table]:
            if row["intent_id"] is not None and (
                    row["tenant_id"] != tenant.get(row["intent_id"])):
                yield row["intent_id"], f"{table}: of another tenant"
    for entry in snapshot.entries:
        if entry["entity_type"] == "intent" and (
                entry["tenant_id"] != tenant.get(entry["entity_id"])):
            yield entry["entity_id"], f"{entry['action']}: of another tenant"


# --- What the clients know ---------------------------------------------------


def acknowledged_is_there(snapshot, ledger):
    """What was acknowledged was committed, once, and stands."""
    intents = snapshot.by("intents", "id")
    by_request = collections.Counter(
        intent["request_id"] for intent in snapshot.intents)
    for request_id, intent_id in ledger.submissions.items():
        if not intents[intent_id] or by_request[request_id] != 1:
            yield intent_id, f"{by_request[request_id]} intents of a request"
    votes = snapshot.by("votes", "memo_id", "revision", "approved_by")
    revisions = snapshot.by_revision()
    memos = snapshot.by("memos", "id")
    for act in ledger.acts:
        if not act.is_acknowledged:
            continue
        memo = memos[act.memo_id]
        if not memo:
            yield act.memo_id, f"no such memo: {act}"
            continue
        if act.verb == "EDIT":
            made = revisions.get((memo[0]["intent_id"], act.revision + 1), {})
            if (made.get("edited_by"), made.get("payload_sha256")) != (
                    act.user_id, act.new_payload_sha256):
                yield act.memo_id, f"lost: {act}"
        elif [vote["verdict"] for vote in
              votes[act.memo_id, act.revision, act.user_id]] != [act.verb]:
            yield act.memo_id, f"lost: {act}"
        status = intents[memo[0]["intent_id"]][0]["status"]
        if act.status in FINAL and status != act.status:
            yield act.memo_id, f"answered {act.status}, is {status}"


def nothing_from_nowhere(snapshot, ledger):
    """Who is on record asked for it, on what they saw, and was not told no."""
    asked = collections.defaultdict(list)
    for act in ledger.acts:
        asked[act.memo_id, act.revision, act.user_id, act.verb].append(act)
    for vote in snapshot.votes:
        acts = asked[vote["memo_id"], vote["revision"], vote["approved_by"],
                     vote["verdict"]]
        if not any((act.is_acknowledged or act.in_doubt) and
                   act.payload_sha256 == vote["payload_hash"] for act in acts):
            yield vote["memo_id"], f"nobody asked for vote {vote['id']}"
        if sum(act.is_acknowledged for act in acts) > 1:
            yield vote["memo_id"], f"acknowledged twice: vote {vote['id']}"
    memo_ids = {intent["id"]: intent["decision_memo_id"]
                for intent in snapshot.intents}
    for (intent_id, number), row in snapshot.by_revision().items():
        if number == 1:
            continue
        acts = asked[memo_ids[intent_id], number - 1, row["edited_by"], "EDIT"]
        if not any((act.is_acknowledged or act.in_doubt) and
                   act.new_payload_sha256 == row["payload_sha256"]
                   for act in acts):
            yield intent_id, f"nobody asked for revision {number}"


# By the name that a violation is reported under.
INVARIANTS = {check.__name__: check for check in (
    one_outcome, counted_transitions, memo_goes_with_intent, one_effect,
    job_goes_with_intent, authority, votes_are_bound, votes_are_on_record, edits_are_on_record,
    tenants_apart, acknowledged_is_there, nothing_from_nowhere)}


def violations(snapshot, ledger):
    """All of them, in the order of INVARIANTS."""
    return [Violation(name, str(subject), text)
            for name, check in INVARIANTS.items()
            for subject, text in check(snapshot, ledger)]
