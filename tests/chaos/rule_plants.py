"""Violations to plant in what chaos left, at least one for each invariant of
rules.py, as plants.py has them for those of checker.py.
"""
import dataclasses

from tests.chaos import checker
from tests.chaos import money
from tests.chaos import plants
from tests.chaos import rules

PLANTS = []
_plants = plants.planter(PLANTS)


def _first(rows, status):
    return next(intent for intent in rows["intents"]
                if intent["status"] == status and intent["request_id"])


@_plants(rules.decided_by_the_rules)
def _executed_though_forbidden(rows, ledger):
    del ledger
    _first(rows, "EXECUTED")["spend_micros_usd"] = 2_000_000 * rules.MICROS


@_plants(rules.decided_by_the_rules)
def _executed_unasked(rows, ledger):
    del ledger
    next(intent for intent in rows["intents"]
         if intent["status"] == "EXECUTED"
         and intent["intent_type"] != "QUICK")["intent_type"] = "QUICK"


@_plants(rules.came_to_rest)
def _left_undecided(rows, ledger):
    del ledger
    _first(rows, "EXECUTED")["status"] = "VALIDATING"


@_plants(rules.came_to_rest)
def _open_past_its_time(rows, ledger):
    del ledger
    next(memo for memo in rows["memos"]
         if memo["status"] == "PROPOSED")["is_long_due"] = True


@_plants(rules.nothing_fails_for_chaos)
def _an_innocent_that_failed(rows, ledger):
    del ledger
    _first(rows, "FAILED")["failure_reason"] = "SETTLEMENT_REFUSED"


@_plants(rules.nothing_fails_for_chaos)
def _failed_though_something_could_do_it(rows, ledger):
    del ledger
    _first(rows, "EXECUTED")["failure_reason"] = "NO_EXECUTOR"


@_plants(rules.nothing_fails_for_chaos)
def _canceled_by_nobody(rows, ledger):
    _first(rows, "FAILED")["failure_reason"] = "CANCELED"
    ledger.cancel_tried.clear()


@_plants(rules.nothing_fails_for_chaos)
def _executed_by_nothing(rows, ledger):
    del ledger
    _first(rows, "EXECUTED")["intent_type"] = "ORPHAN"


@_plants(rules.waits_for_somebody)
def _approved_by_all_and_not_resumed(rows, ledger):
    intent = _first(rows, "AWAITING_HUMAN")
    rows["votes"] += [
        {"intent_id": intent["id"], "revision": intent["revision"],
         "approved_by": user_id, "verdict": "APPROVE"}
        for user_id in ledger.people]


@_plants(rules.one_intent_a_request)
def _two_answers_to_one_request(rows, ledger):
    intent = _first(rows, "EXECUTED")
    ledger.note_submission(intent["request_id"], "another",
                           intent["tenant_id"])


@_plants(rules.one_intent_a_request)
def _a_request_that_was_refused(rows, ledger):
    ledger.refused.add(_first(rows, "EXECUTED")["request_id"])


@_plants(rules.one_intent_a_request)
def _a_request_that_nobody_made(rows, ledger):
    ledger.asked.remove(_first(rows, "EXECUTED")["request_id"])


@_plants(rules.one_intent_a_request)
def _an_inserted_row_that_was_lost(rows, ledger):
    del rows
    ledger.inserted.add("lost")


@_plants(rules.final_states_stay)
def _another_end_than_was_seen(rows, ledger):
    del rows
    seen = next(one for one in ledger.sightings
                if one.status in checker.FINAL)
    ledger.sightings.append(rules.Sighting(
        seen.intent_id, "AWAITING_HUMAN", seen.told_at + 1, seen.told_at + 2))


@_plants(rules.final_states_stay)
def _another_end_than_is_on_record(rows, ledger):
    seen = {one.intent_id for one in ledger.sightings
            if one.status == "EXECUTED"}
    next(intent for intent in rows["intents"]
         if intent["id"] in seen)["status"] = "FAILED"


@_plants(rules.final_states_stay)
def _canceled_and_executed(rows, ledger):
    ledger.canceled.append(_first(rows, "EXECUTED")["id"])


@_plants(rules.nobody_saw_anothers)
def _in_another_tenant(rows, ledger):
    ledger.tenants[_first(rows, "EXECUTED")["id"]] = "another"


@_plants(rules.off_means_off)
def _off_all_the_time(rows, ledger):
    intent = _first(rows, "EXECUTED")
    ledger.windows.append(rules.OffWindow(
        "agent", intent["tenant_id"], intent["agent_id"], 0, float("inf")))


@_plants(rules.decided_under_the_active_rules)
def _decided_under_what_was_replaced(rows, ledger):
    del rows
    ledger.reigns.append(rules.Reign("sha256:other", 0))


@_plants(rules.answers_make_sense)
def _internal(rows, ledger):
    del rows
    ledger.acts.append(checker.Act("APPROVE", "", "", 1, "", "INTERNAL"))


def _completed(rows, ledger):
    """A job that a worker was told is done, and what it had said."""
    for report in ledger.job_reports:
        if report.verb == "CompleteJob" and report.is_acknowledged:
            return (next(job for job in rows["jobs"]
                         if job["id"] == report.job_id), report)
    raise AssertionError("no job was completed")


@_plants(rules.one_worker_at_a_time)
def _a_job_in_two_hands(rows, ledger):
    del rows
    lease = ledger.leases[0]
    ledger.leases.append(dataclasses.replace(
        lease, token="another", attempt=lease.attempt + 1,
        expires_at=lease.expires_at + 1, told_at=lease.told_at))
    ledger.job_reports = []


@_plants(rules.one_worker_at_a_time)
def _a_try_given_out_twice(rows, ledger):
    del rows
    ledger.leases.append(dataclasses.replace(
        ledger.leases[0], token="another", told_at=float("inf")))


@_plants(rules.one_worker_at_a_time)
def _more_than_may_run(rows, ledger):
    del ledger
    first = next(entry for entry in rows["job_entries"]
                 if entry["action"] == "JOB_LEASED")
    place = rows["job_entries"].index(first) + 1
    rows["job_entries"][place:place] = [
        first | {"entity_id": str(number)}
        for number in range(rules.JOBS_RUNNING_MAX)]


@_plants(rules.leases_are_fences)
def _completed_and_undone(rows, ledger):
    _completed(rows, ledger)[0]["status"] = "queued"


@_plants(rules.leases_are_fences)
def _another_output(rows, ledger):
    _completed(rows, ledger)[0]["output"] = '"another"'


@_plants(rules.leases_are_fences)
def _completed_by_who_had_lost_it(rows, ledger):
    _, report = _completed(rows, ledger)
    ledger.job_reports = [dataclasses.replace(report, asked_at=float("inf"))]


@_plants(rules.workers_said_so)
def _completed_by_nobody(rows, ledger):
    del rows
    ledger.job_reports = []


@_plants(rules.workers_said_so)
def _given_out_once_more(rows, ledger):
    job, _ = _completed(rows, ledger)
    rows["job_entries"] += [
        {"action": "JOB_LEASED", "entity_id": job["id"]}] * (
            job["max_retries"] + 1)


@_plants(rules.workers_said_so)
def _given_up_by_nobody(rows, ledger):
    job, _ = _completed(rows, ledger)
    next(intent for intent in rows["intents"]
         if intent["id"] == job["intent_id"])["failure_reason"] = "JOB_FAILED"


def _entered(rows):
    """An entry of the ledger."""
    return next(entry for entry in rows["ledger_entries"])


@_plants(money.spends_are_entered)
def _entered_twice(rows, ledger):
    del ledger
    rows["ledger_entries"].append(dict(_entered(rows)))


@_plants(money.spends_are_entered)
def _never_entered(rows, ledger):
    del ledger
    rows["ledger_entries"].remove(_entered(rows))


@_plants(money.spends_are_entered)
def _cents_rounded_down(rows, ledger):
    del ledger
    _entered(rows)["amount_cents"] -= 1


@_plants(money.spends_are_entered)
def _reserved_for_ever(rows, ledger):
    del ledger
    rows["spends"][0]["status"] = "reserved"


@_plants(money.budgets_hold)
def _spent_more_than_there_was(rows, ledger):
    del ledger
    for budget in rows["budgets"]:
        budget["limit_cents"] = 1


@_plants(money.budgets_hold)
def _overspent_for_a_while(rows, ledger):
    del rows
    ledger.overspent.append(1)


@_plants(money.limits_are_exact)
def _one_more_than_the_limit(rows, ledger):
    del ledger
    passed = {intent["id"] for intent in rows["intents"]
              if intent["intent_type"] == "BURST"
              and intent["status"] == "EXECUTED"}
    entry = next(entry for entry in rows["entries"]
                 if entry["action"] == "SGL_EVALUATED"
                 and entry["entity_id"] in passed)
    rows["entries"] += [entry] * money.BURSTS_MAX


@_plants(money.limits_are_exact)
def _refused_with_room(rows, ledger):
    del ledger
    for intent in rows["intents"]:
        if intent["intent_type"] == "BURST":
            intent["status"] = "BLOCKED_SGL"
