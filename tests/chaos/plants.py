"""Violations to plant in what a race left, one for each way that an invariant
of checker.py can break: a bug in the engine would leave such rows.

    for plant in plants.PLANTS:
        plant.apply(rows, ledger)    # changes copies of both
        ... violations() must name plant.invariant
"""
import copy
import dataclasses
import typing

from tests.chaos import checker


@dataclasses.dataclass(frozen=True)
class Plant:
    invariant: str
    name: str
    apply: typing.Callable


PLANTS = []


def planter(into):
    """Returns what marks a function as a plant that breaks an invariant."""
    def plants(invariant):
        def take(function):
            into.append(Plant(invariant.__name__,
                              function.__name__.removeprefix("_"), function))
            return function
        return take
    return plants


_plants = planter(PLANTS)


def _story(rows, intent):
    return [entry for entry in rows["entries"]
            if entry["entity_id"] == intent["id"] and
            entry["transition_number"] is not None]


def _approved(rows):
    """An intent that votes executed, and those votes, the last one last."""
    for intent in rows["intents"]:
        story = [entry["action"] for entry in _story(rows, intent)]
        votes = [vote for vote in rows["votes"]
                 if (vote["intent_id"], vote["revision"]) ==
                 (intent["id"], intent["revision"])]
        if story[-3:] == ["DECISION_MEMO_APPROVED", "SGL_EVALUATED",
                          "ENGINE_EXECUTED_INTENT"] and len(votes) > 1:
            return intent, votes
    raise AssertionError("votes executed nothing")


def _edited(rows):
    """An intent that was edited and asked for people again."""
    for intent in rows["intents"]:
        for before, entry in zip(_story(rows, intent),
                                 _story(rows, intent)[2:]):
            if (before["action"], entry["action"]) == (
                    "DECISION_MEMO_EDITED", "DECISION_MEMO_REOPENED"):
                return intent, entry
    raise AssertionError("nothing was edited and reopened")


def _act_of(ledger, vote):
    for act in ledger.acts:
        if (act.is_acknowledged and act.verb == vote["verdict"] and
                (act.memo_id, act.revision, act.user_id) ==
                (vote["memo_id"], vote["revision"], vote["approved_by"])):
            return act
    return None


def _acknowledged(rows, ledger):
    for vote in rows["votes"]:
        act = _act_of(ledger, vote)
        if act is not None and not act.in_doubt:
            return vote, act
    raise AssertionError("no vote was acknowledged")


@_plants(checker.one_outcome)
def _two_outcomes(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    intent["transition_number"] += 1
    second = copy.deepcopy(_story(rows, intent)[-1])
    second |= {"action": "ENGINE_FAILED",
               "transition_number": intent["transition_number"]}
    rows["entries"].append(second)


@_plants(checker.one_outcome)
def _another_outcome_than_told(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    intent |= {"status": "FAILED", "failure_reason": "CANCELED"}


@_plants(checker.one_outcome)
def _not_decided_again(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    rows["entries"].remove(_story(rows, intent)[-2])


@_plants(checker.one_outcome)
def _blocked_but_executed(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    _story(rows, intent)[-2]["meta"]["decision"] = "BLOCK"


@_plants(checker.one_outcome)
def _an_edit_that_executes_unasked(rows, ledger):
    del ledger
    _edited(rows)[1]["action"] = "ENGINE_EXECUTED_INTENT"


@_plants(checker.counted_transitions)
def _an_entry_that_was_lost(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    rows["entries"].remove(_story(rows, intent)[1])


@_plants(checker.memo_goes_with_intent)
def _a_memo_left_open(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    for memo in rows["memos"]:
        if memo["intent_id"] == intent["id"]:
            memo |= {"status": "PROPOSED", "resolution": None}


@_plants(checker.memo_goes_with_intent)
def _two_memos(rows, ledger):
    del ledger
    rows["memos"].append(copy.deepcopy(rows["memos"][0]))


@_plants(checker.one_effect)
def _resumed_twice(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    for entry in _story(rows, intent)[-3:]:
        entry = copy.deepcopy(entry)
        intent["transition_number"] += 1
        entry["transition_number"] = intent["transition_number"]
        rows["entries"].append(entry)


@_plants(checker.job_goes_with_intent)
def _a_job_that_its_intent_left_behind(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    rows["jobs"].append({"id": "job", "tenant_id": intent["tenant_id"],
                         "intent_id": intent["id"], "status": "queued"})


@_plants(checker.job_goes_with_intent)
def _a_job_done_unrecorded(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    rows["jobs"].append({"id": "job", "tenant_id": intent["tenant_id"],
                         "intent_id": intent["id"], "status": "succeeded"})


@_plants(checker.one_effect)
def _two_jobs(rows, ledger):
    del ledger
    intent, _ = _approved(rows)
    rows["jobs"] += [{"id": number, "tenant_id": intent["tenant_id"],
                      "intent_id": intent["id"], "status": "queued"}
                     for number in range(2)]


@_plants(checker.authority)
def _a_vote_too_few(rows, ledger):
    del ledger
    rows["votes"].remove(_approved(rows)[1][-1])


@_plants(checker.authority)
def _one_person_twice(rows, ledger):
    del ledger
    votes = _approved(rows)[1]
    votes[-1]["approved_by"] = votes[0]["approved_by"]


@_plants(checker.authority)
def _a_vote_from_before_the_edit(rows, ledger):
    del ledger
    _approved(rows)[1][-1]["revision"] -= 1


@_plants(checker.authority)
def _a_vote_on_another_payload(rows, ledger):
    del ledger
    _approved(rows)[1][-1]["payload_hash"] = "0" * 64


@_plants(checker.authority)
def _a_vote_of_the_agents_owner(rows, ledger):
    del ledger
    intent, votes = _approved(rows)
    for agent in rows["agents"]:
        if agent["id"] == intent["agent_id"]:
            agent["owner_user_id"] = votes[-1]["approved_by"]


@_plants(checker.authority)
def _a_vote_of_the_editor(rows, ledger):
    del ledger
    intent, votes = _approved(rows)
    intent["edited_by"] = votes[-1]["approved_by"]


@_plants(checker.authority)
def _a_vote_of_somebody_without_the_role(rows, ledger):
    votes = _approved(rows)[1]
    ledger.people.pop(votes[-1]["approved_by"])


@_plants(checker.authority)
def _a_vote_by_roles_lent_too_late(rows, ledger):
    """Whoever spoke by lent roles: they were over."""
    del ledger
    for delegation in rows["delegations"]:
        delegation["votes_in_time"] = []


@_plants(checker.authority)
def _decided_by_other_rules(rows, ledger):
    del ledger
    _approved(rows)[0]["policy_digest"] = "sha256:other"


@_plants(checker.votes_are_bound)
def _a_second_vote(rows, ledger):
    del ledger
    rows["votes"].append(rows["votes"][0] | {"id": "second"})


@_plants(checker.votes_are_bound)
def _a_vote_on_what_never_was(rows, ledger):
    del ledger
    rows["votes"][0]["revision"] = 99


@_plants(checker.votes_are_bound)
def _a_vote_on_ones_own(rows, ledger):
    del ledger
    for agent in rows["agents"]:
        agent["owner_user_id"] = rows["votes"][0]["approved_by"]


@_plants(checker.votes_are_bound)
def _a_vote_by_roles_not_held(rows, ledger):
    del ledger
    rows["votes"][0]["roles"] = ["emperor"]


@_plants(checker.votes_are_on_record)
def _a_vote_without_its_entry(rows, ledger):
    del ledger
    rows["entries"] = [entry for entry in rows["entries"]
                       if entry["action"] != "VOTE_COUNTED"]


@_plants(checker.votes_are_on_record)
def _an_entry_without_its_vote(rows, ledger):
    del ledger
    rows["votes"].pop()


@_plants(checker.edits_are_on_record)
def _a_revision_that_was_not_kept(rows, ledger):
    del ledger
    rows["revisions"].pop()


@_plants(checker.edits_are_on_record)
def _bytes_that_are_not_those_hashed(rows, ledger):
    del ledger
    rows["intents"][0]["raw_sha256"] = "0" * 64


@_plants(checker.tenants_apart)
def _a_vote_in_another_tenant(rows, ledger):
    del ledger
    rows["votes"][0]["tenant_id"] = "other"


@_plants(checker.acknowledged_is_there)
def _a_vote_that_was_lost(rows, ledger):
    rows["votes"].remove(_acknowledged(rows, ledger)[0])


@_plants(checker.acknowledged_is_there)
def _an_edit_that_was_lost(rows, ledger):
    del rows
    for act in ledger.acts:
        if act.verb == "EDIT":
            act.new_payload_sha256 = "0" * 64


@_plants(checker.acknowledged_is_there)
def _an_intent_that_was_lost(rows, ledger):
    del ledger
    rows["intents"][0]["request_id"] = "another"


@_plants(checker.acknowledged_is_there)
def _an_outcome_that_was_taken_back(rows, ledger):
    intent, _ = _approved(rows)
    for act in ledger.acts:
        if act.is_acknowledged and act.memo_id == intent["decision_memo_id"]:
            act.status = "BLOCKED_SGL"


@_plants(checker.nothing_from_nowhere)
def _a_vote_that_was_refused(rows, ledger):
    _acknowledged(rows, ledger)[1].answer = "ROLE_MISSING"


@_plants(checker.nothing_from_nowhere)
def _a_vote_that_counts_twice(rows, ledger):
    ledger.acts.append(copy.copy(_acknowledged(rows, ledger)[1]))


@_plants(checker.nothing_from_nowhere)
def _an_edit_that_nobody_made(rows, ledger):
    intent, _ = _edited(rows)
    ledger.acts[:] = [act for act in ledger.acts
                      if act.verb != "EDIT" or
                      act.memo_id != intent["decision_memo_id"]]
