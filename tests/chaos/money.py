"""What must hold of money and of limits after chaos, from the rows alone: the
budgets, spends, ledger and decisions of checker.read.

    rules.INVARIANTS has all three checks.

chaos.sgl and chaos_test.py say which types spend, and what a limit counts.
"""
import collections
import datetime

# Whose spend draws on the one budget that each tenant has.
SPENDING_TYPES = ("WIRE", "ERRAND")
CATEGORY = "payout"
# What is left at first: small enough that it runs out in every run, and raised
# again and again (workers.py), so that it runs out more than once.
BUDGET_CENTS = 300_000
RAISE_CENTS = 90_000
# How many BURSTs of a tenant any window of so long may hold.
BURSTS_MAX = 4
BURST_SECONDS = 3
_CENT_MICROS = 10_000

MAKE_BUDGETS = (
    "INSERT INTO budgets (tenant_id, name, category, limit_cents, period_days) "
    f"SELECT id, 'chaos', '{CATEGORY}', {BUDGET_CENTS}, 30 FROM tenants "
    "WHERE slug IN ('east', 'west')")
# More for each tenant whose budget nears its end, and what it was overspent by
# until then, which must be nothing: nobody can spend while this looks.
RAISE_BUDGETS = (
    "BEGIN; SELECT FROM budgets FOR UPDATE; "
    "SELECT coalesce(sum(greatest(s.spent - b.limit_cents * "
    f"{_CENT_MICROS}, 0)), 0) FROM budgets AS b CROSS JOIN LATERAL ("
    "SELECT coalesce(sum(spend_micros_usd), 0) AS spent FROM intent_spends AS s "
    "WHERE s.tenant_id = b.tenant_id AND s.status <> 'released') AS s; "
    f"UPDATE budgets AS b SET limit_cents = limit_cents + {RAISE_CENTS} "
    f"WHERE limit_cents * {_CENT_MICROS} - (SELECT coalesce("
    "sum(spend_micros_usd), 0) FROM intent_spends AS s "
    "WHERE s.tenant_id = b.tenant_id AND s.status <> 'released') < "
    f"{RAISE_CENTS} / 3 * {_CENT_MICROS}; COMMIT")

# How a spend stands where its intent stands so.
_SPEND_OF = {"EXECUTED": {"committed"}, "VALIDATING": {"reserved"}}
_NO_SPEND = {"none", "released"}


def spends_are_entered(snapshot, ledger):
    """What is executed is entered in the ledger, once, to the micro, in cents
    rounded up; nothing else is.
    """
    del ledger
    spends = snapshot.by("spends", "intent_id")
    entries = snapshot.by("ledger_entries", "intent_id")
    for intent in snapshot.intents:
        micros = (intent["spend_micros_usd"] or 0) * (
            intent["intent_type"] in SPENDING_TYPES)
        rows = spends[intent["id"]]
        stands = rows[0]["status"] if rows else "none"
        wanted = (_SPEND_OF.get(intent["status"], _NO_SPEND) if micros
                  else {"none"})
        if stands not in wanted:
            yield intent["id"], f"{intent['status']}, its spend is {stands}"
        if rows and rows[0]["spend_micros_usd"] != micros:
            yield intent["id"], (f"spends {micros}, on record are "
                                 f"{rows[0]['spend_micros_usd']}")
        entered = [(entry["amount_cents"], entry["spend_micros_usd"])
                   for entry in entries[intent["id"]]]
        due = ([(-(-micros // _CENT_MICROS), micros)]
               if micros and intent["status"] == "EXECUTED" else [])
        if entered != due:
            yield intent["id"], f"entered {entered}, due is {due}"


def budgets_hold(snapshot, ledger):
    """What is reserved and committed never is more than the budget has."""
    spent = collections.Counter()
    for row in snapshot.spends:
        if row["status"] != "released":
            spent[row["tenant_id"]] += row["spend_micros_usd"]
    for budget in snapshot.budgets:
        if spent[budget["tenant_id"]] > budget["limit_cents"] * _CENT_MICROS:
            yield budget["tenant_id"], (
                f"spent {spent[budget['tenant_id']]} of "
                f"{budget['limit_cents']} cents")
    for micros in ledger.overspent:
        yield "budgets", f"overspent by {micros} micros for a while"


def limits_are_exact(snapshot, ledger):
    """No window holds more BURSTs than may be, and none was refused while its
    window had room.
    """
    del ledger
    passed = collections.defaultdict(list)
    refused = []
    types = {intent["id"]: intent for intent in snapshot.intents}
    for entry in snapshot.entries:
        if entry["action"] != "SGL_EVALUATED":
            continue
        intent = types.get(entry["entity_id"])
        if intent is None or intent["intent_type"] != "BURST":
            continue
        at = datetime.datetime.fromisoformat(entry["meta"]["facts"]["now"])
        if intent["status"] == "EXECUTED":
            passed[intent["tenant_id"]].append(at)
        elif "BURSTS" in str(entry["meta"]["reasons"]):
            refused.append((intent, at))
    window = datetime.timedelta(seconds=BURST_SECONDS)
    for tenant_id, times in passed.items():
        times.sort()
        for first, last in zip(times, times[BURSTS_MAX:]):
            if last - first < window:
                yield tenant_id, (f"more than {BURSTS_MAX} from {first} "
                                  f"to {last}")
    for intent, at in refused:
        count = sum(at - window < time <= at
                    for time in passed[intent["tenant_id"]])
        if count < BURSTS_MAX:
            yield intent["id"], f"refused as one more than {count}"
