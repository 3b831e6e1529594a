"""Bugs to build in, each one that a slip in the engine would make: the suite has
to find them.

    binary = faults.FAULTS["unguarded_vote"].build_in(folder, database)

A fault takes guards out of the functions of this test's own database, and of
the statements in a copy of `intentd` that is made for it: SQL text for text, in
the copy over the same bytes. The engine has no switch for any of it, so none can
reach what is shipped; and a guard that isn't where a fault looks for it is an
error, so that no fault goes stale.
"""
import dataclasses
import os
import shutil

from tests.e2e import harness

# The last fence of every settlement, and what stands behind it.
_SETTLE_FENCE = ("settle_intents",
                 "AND i.status IN ('DRAFT', 'VALIDATING', 'AWAITING_HUMAN')",
                 "")
_FINALITY = ("intents_before_write", "AND NEW.status <> OLD.status",
             "AND false")

_AUDIT_OUTSIDE = """
CREATE EXTENSION dblink;
CREATE FUNCTION audit_outside() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  IF current_setting('chaos.outside', true) = 'on' THEN
    RETURN NEW;
  END IF;
  IF 'outside' <> ALL (coalesce(dblink_get_connections(), '{}')) THEN
    PERFORM dblink_connect(
      'outside',
      format('dbname=%s host=%s port=%s user=postgres '
             'options=''-c chaos.outside=on''',
             current_database(),
             current_setting('unix_socket_directories'),
             current_setting('port')));
  END IF;
  PERFORM dblink_exec('outside', format(
    'INSERT INTO audit_log SELECT (jsonb_populate_record(NULL::audit_log, '
    '%L || jsonb_build_object(''xact_id'', pg_current_xact_id()))).*',
    to_jsonb(NEW)));
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_outside
  BEFORE INSERT ON audit_log
  FOR EACH ROW WHEN (NEW.entity_type IN ('intent', 'decision_memo'))
  EXECUTE FUNCTION audit_outside();
"""


@dataclasses.dataclass(frozen=True)
class Fault:
    """One bug. `invariants` are those of which one at least must be broken."""
    says: str
    invariants: tuple
    # (name, what stands in it, what stands there instead).
    functions: tuple = ()
    # (what stands in the binary, what stands there instead).
    statements: tuple = ()
    # Run as a superuser.
    sql: str = ""

    def build_in(self, folder, database):
        """Changes the database, while no engine runs; returns the binary to
        run on it."""
        for name, old, new in self.functions:
            definition = database.query(
                f"SELECT pg_get_functiondef('{name}'::regproc)")
            if old not in definition:
                raise AssertionError(f"`{old}` is not in {name}() any more")
            database.query(definition.replace(old, new))
        if self.sql:
            database.query(self.sql)
        if not self.statements:
            return harness.INTENTD
        text = harness.INTENTD.read_bytes()
        for old, new in self.statements:
            if text.count(old.encode()) != 1 or len(new) > len(old):
                raise AssertionError(
                    f"`{old}` is not once in {harness.INTENTD} any more")
            text = text.replace(old.encode(), new.ljust(len(old)).encode())
        binary = folder / "faulty_intentd"
        binary.write_bytes(text)
        shutil.copymode(harness.INTENTD, binary)
        os.chmod(binary, 0o755)
        return binary


FAULTS = {
    "stale_settlement": Fault(
        says="claims hold no lock and settlements compare nothing: an engine "
             "settles what another one settled or has in hand",
        invariants=("one_outcome", "one_effect", "counted_transitions"),
        functions=(("claim_of_tenant", "FOR UPDATE SKIP LOCKED", ""),
                   _SETTLE_FENCE, _FINALITY)),
    "unguarded_vote": Fault(
        says="votes neither lock intent and memo nor compare their state: two "
             "at once resume an intent twice, or neither does",
        invariants=("one_outcome", "one_effect", "waits_for_somebody"),
        functions=(_SETTLE_FENCE, _FINALITY),
        statements=(
            ("SELECT * FROM intent_rows WHERE id = $1::uuid FOR UPDATE",
             "SELECT * FROM intent_rows WHERE id = $1::uuid"),
            ("SELECT id FROM decision_memos WHERE id = $1::uuid FOR UPDATE",
             "SELECT id FROM decision_memos WHERE id = $1::uuid"),
            ("WHERE id = $1::uuid AND status = 'PROPOSED'\nRETURNING id",
             "WHERE id = $1::uuid\nRETURNING id"))),
    "audit_outside": Fault(
        says="audit entries are written in a transaction of their own: what is "
             "rolled back leaves its entries behind",
        invariants=("one_outcome", "counted_transitions",
                    "votes_are_on_record"),
        sql=_AUDIT_OUTSIDE),
    "early_acknowledgement": Fault(
        says="commits are acknowledged before they are written: a stop of "
             "PostgreSQL loses them",
        invariants=("acknowledged_is_there", "final_states_stay",
                    "one_intent_a_request"),
        sql="ALTER SYSTEM SET wal_writer_delay = '10s'; "
            "SELECT pg_reload_conf(); "
            "ALTER ROLE intentd SET synchronous_commit = off;"),
    "unfenced_completion": Fault(
        says="whoever was handed a job before completes it, whose hands ever it "
             "is in",
        invariants=("leases_are_fences",),
        statements=(("    AND lease_token = $2::uuid\n"
                     "    AND lease_expires_at > engine_now()\n"
                     "  RETURNING tenant_id, job_type",
                     "    AND $2::uuid IS NOT NULL\n"
                     "  RETURNING tenant_id, job_type"),)),
    "early_handout": Fault(
        says="leases end before their time: a job is in two workers' hands",
        invariants=("one_worker_at_a_time",),
        functions=(("expired_jobs",
                    "due_time CONSTANT timestamptz := engine_now();",
                    "due_time CONSTANT timestamptz := engine_now() "
                    "+ interval '2 seconds';"),),
        statements=(("j.lease_expires_at <= engine_now()\n",
                     "true\n"),)),
    "unlocked_budget": Fault(
        says="budgets are read and not locked: two spend the same dollar",
        invariants=("budgets_hold",),
        functions=(("lock_budgets", "FOR NO KEY UPDATE OF b", ""),)),
    "kept_reservation": Fault(
        says="what a job would have spent stays reserved when it fails",
        invariants=("spends_are_entered",),
        functions=(("intents_end_spend", "AND s.status = 'reserved'",
                    "AND s.status = 'reserved' AND NEW.status = 'EXECUTED'"),
                   )),
    "unlocked_limit": Fault(
        says="counters are read and not locked: two take the last place",
        invariants=("limits_are_exact",),
        functions=(("lock_limits", "FOR UPDATE OF c", ""),)),
    "deaf_switch": Fault(
        says="votes and settlements ask for no kill switch",
        invariants=("off_means_off",),
        functions=(("off_level", "WHERE s.is_switched_off",
                    "WHERE false AND s.is_switched_off"),)),
    "open_tenants": Fault(
        says="row-level security lets every tenant's intents and memos through",
        invariants=("nobody_saw_anothers",),
        sql="ALTER POLICY tenant_rows ON intents USING (true); "
            "ALTER POLICY tenant_rows ON decision_memos USING (true);"),
}
