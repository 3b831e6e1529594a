/* The way of two intents through two engines and two approvers, without jobs:
   claim, decide, settle; votes, edits, expiry, cancelation; another policy,
   the kill switch, and a crash at every step. README.md says what stands for
   what, and what is left out.

   A transaction's writes are seen by nobody before its commit, so that they
   are kept in the process and made in its committing step. What others can
   tell apart are its statements that lock or read: a step each. A crash is
   what PostgreSQL makes of it: nothing was written, the locks are free.

   Each PLANT_ is a bug that the checker must find. */

#define INTENTS 2
#define NOBODY 0
/* Plants whose effect is not in the transaction. */
#ifdef PLANT_EFFECT_EARLY
#define EFFECT_APART
#endif
#ifdef PLANT_EFFECT_LATE
#define EFFECT_APART
#endif

mtype = { ABSENT, DRAFT, VALIDATING, AWAITING, EXECUTED, FAILED, BLOCKED };
/* What a policy says; ONE and TWO: a review by so many people. */
mtype = { UNKNOWN, ALLOW, ONE, TWO, BLOCK };
/* What a vote or an edit comes to. */
mtype = { COUNTED, REJECTED, REOPENED, STOPPED, RESUMED };

#define IS_FINAL(s) (s == EXECUTED || s == FAILED || s == BLOCKED)
#define NEEDED(v) (v == ONE -> 1 : 2)
/* The bit of person `a` (0 or 1) and revision `r` (1 or 2). */
#define VOTE(r, a) (1 << (2 * (r - 1) + a))
#define PEOPLE(votes, r) \
  (((votes >> (2 * (r - 1))) & 1) + ((votes >> (2 * (r - 1) + 1)) & 1))

/* What a crash waits for: nothing. To prove that all comes to rest, there are
   no more than so many. */
#ifdef CRASHES
byte crashes_left = CRASHES;
#define CRASH crashes_left > 0 -> crashes_left--
#else
#define CRASH true
#endif

/* ---- What is committed. ---- */

typedef Row {
  mtype status;
  byte revision;
  /* Who made the revision: 1 + person; NOBODY for what was submitted. */
  byte editor;
  mtype result;
  /* The memo: open or not, what it demands, whether its time is over. */
  bit open;
  mtype demand;
  bit due;
  byte votes
}
Row row[INTENTS];
byte policy = 0; /* the active one */
bool off = false;

/* ---- Locks. ---- */

/* Who holds the row; the memo's lock is only ever taken under it. */
byte lock[INTENTS];
/* How many share the policy lock. Who takes it alone does all else at once. */
byte sharers = 0;

/* ---- What nobody stores: what is so, for the checker to compare with. ---- */

/* What the active policy says of the intent as it stands; drawn when first
   asked, and the same from then on. */
mtype says[INTENTS];
/* Which revisions each person saw when they said yes. */
byte consent[INTENTS];
byte effects[INTENTS];
byte outcomes[INTENTS];
byte resumptions[INTENTS];
/* Transitions less entries, and the state that the entries tell. */
byte unaccounted[INTENTS];
mtype told[INTENTS];
/* After AwaitSettlements: nothing moves until the switch is on again. */
bool is_quiet = false;
bool acted_while_off = false;
bool decided_by_another_policy = false;
bool block_was_overridden = false;
bool claimed_twice = false;

/* ---- What a transaction does. ---- */

inline draw(verdict) {
  if
  :: verdict = ALLOW
  :: verdict = ONE
  :: verdict = TWO
  :: verdict = BLOCK
  fi
}

/* What the active policy says: a pure function of it and the intent. */
inline ask(i, verdict) {
  if
  :: says[i] == UNKNOWN -> draw(says[i])
  :: else
  fi;
  verdict = says[i]
}

/* An engine that has not heard of the active policy decides by another one,
   which may say anything. */
inline decide(i, verdict) {
  if
  :: known == policy -> ask(i, verdict)
#ifdef POLICY
  :: known != policy -> draw(verdict)
#endif
  fi
}

/* Whether this engine has heard of the active policy by now. */
inline hear() {
#ifdef POLICY
  if
  :: known != policy -> known = policy
  :: true
  fi
#else
  skip
#endif
}

/* A transition with its entry. */
inline account(i) {
  unaccounted[i]--;
  told[i] = row[i].status
}

inline enter(i, to) {
  row[i].status = to;
  unaccounted[i]++;
#ifndef PLANT_AUDIT_OUTSIDE
  account(i);
#endif
}

/* The last one. */
inline finish(i, to) {
  enter(i, to);
  outcomes[i]++;
#ifndef PLANT_MEMO_LEFT_OPEN
  row[i].open = 0;
#endif
  row[i].due = 0;
  says[i] = UNKNOWN
}

/* What is settled or voted on. */
inline note_act() {
  acted_while_off = acted_while_off || is_quiet
}

/* What comes of a decision. */
inline note_decision(i, verdict) {
  decided_by_another_policy = decided_by_another_policy ||
      says[i] != verdict;
  row[i].result = verdict
}

inline execute(i, verdict) {
  note_decision(i, verdict);
  block_was_overridden = block_was_overridden || says[i] == BLOCK;
#ifndef EFFECT_APART
  effects[i]++;
#endif
  finish(i, EXECUTED)
}

inline open_memo(i, verdict) {
  note_decision(i, verdict);
  row[i].open = 1;
  row[i].demand = verdict;
  row[i].due = 0;
  enter(i, AWAITING)
}

inline block(i) {
  note_decision(i, BLOCK);
  finish(i, BLOCKED)
}

/* ---- Engines: Worker::SettleBatch and Worker::ExpireMemos. ---- */

#ifdef PLANT_NO_CLAIM_LOCK
#define IS_FREE(i) true
#else
#define IS_FREE(i) (lock[i] == NOBODY)
#endif
#ifdef PLANT_CLAIM_WHILE_OFF
#define CLAIMABLE(i) (row[i].status == DRAFT && IS_FREE(i))
#else
#define CLAIMABLE(i) (!off && row[i].status == DRAFT && IS_FREE(i))
#endif
#ifdef PLANT_NO_EXPIRY_LOCK
#define IS_DUE(i) (row[i].open && row[i].due)
#define LOCK_DUE(i) skip
#else
#define IS_DUE(i) (row[i].open && row[i].due && lock[i] == NOBODY)
#define LOCK_DUE(i) lock[i] = me
#endif
#define HAS(i) (batch & (1 << i))
/* Where nobody else has the row. */
#define CAN_LOCK(i) (!HAS(i) || lock[i] == NOBODY || lock[i] == me)
#define IS_ENDED(i) (HAS(i) && IS_FINAL(row[i].status))
#define FOR_BATCH(what) \
  if \
  :: HAS(0) -> what(0) \
  :: else \
  fi; \
  if \
  :: HAS(1) -> what(1) \
  :: else \
  fi

inline claim(i) {
#ifndef PLANT_NO_CLAIM_LOCK
  lock[i] = me;
#endif
#ifdef PLANT_CLAIM_COMMITS
  enter(i, VALIDATING);
#endif
  batch = batch | (1 << i);
  decide(i, verdict[i])
}

inline settle(i) {
  claimed_twice = claimed_twice ||
      (row[i].status != DRAFT && row[i].status != VALIDATING);
  note_act();
  if
  :: verdict[i] == ALLOW -> execute(i, ALLOW)
  :: verdict[i] == BLOCK -> block(i)
  :: else -> open_memo(i, verdict[i])
  fi
}

inline lock_row(i) {
  lock[i] = me
}

#ifdef EFFECT_APART
inline act(i) {
  if
  :: verdict[i] == ALLOW -> effects[i]++
  :: else
  fi
}
#endif

#ifdef EXPIRY
inline expire_memo(i) {
  finish(i, FAILED)
}
#endif

/* The end of the transaction, whichever it is. */
inline release(i) {
  if
  :: lock[i] == me -> lock[i] = NOBODY
  :: else
  fi
}

inline end_batch() {
  known = 0;
  release(0);
  release(1);
  batch = 0;
  verdict[0] = UNKNOWN;
  verdict[1] = UNKNOWN
}

/* What a plant does in a transaction of its own. */
#ifdef PLANT_AUDIT_OUTSIDE
#define AFTERWARDS account
#endif
#ifdef PLANT_EFFECT_LATE
#define AFTERWARDS act
#endif

proctype Engine(byte me) {
  byte known = 0;
  byte batch = 0;
  mtype verdict[INTENTS];
  verdict[0] = UNKNOWN;
  verdict[1] = UNKNOWN;

end_idle:
  if
  :: atomic { /* claim_draft_intents */
       CLAIMABLE(0) ->
       hear();
       claim(0);
       if
       :: CLAIMABLE(1) -> claim(1)
       :: true
       fi
     }
  :: atomic { CLAIMABLE(1) -> hear(); claim(1) }
#ifdef EXPIRY
  :: atomic { /* due_memos */
       IS_DUE(0) -> LOCK_DUE(0); batch = 1; goto expire
     }
  :: atomic { IS_DUE(1) -> LOCK_DUE(1); batch = 2; goto expire }
#endif
  fi;

  if
  :: atomic { /* settlement_digests; ABORTED is tried again */
       true ->
       if
#ifdef POLICY
#ifndef PLANT_STALE_POLICY
       :: known != policy -> end_batch(); goto end_idle
#endif
#endif
#ifdef SWITCH
#ifndef PLANT_SWITCH_AT_CLAIM_ONLY
       :: off -> end_batch(); goto end_idle
#endif
#endif
       :: else -> sharers++
       fi
     }
  :: atomic { CRASH -> end_batch(); goto end_idle }
  fi;

  if
  :: atomic { /* settle_intents */
       CAN_LOCK(0) && CAN_LOCK(1) ->
#ifdef PLANT_NO_CLAIM_LOCK
       /* The statement's own guard, which the lock makes needless. */
       if
       :: IS_ENDED(0) || IS_ENDED(1) ->
          sharers--;
          end_batch();
          goto end_idle
       :: else
       fi;
#endif
       FOR_BATCH(lock_row);
#ifdef PLANT_EFFECT_EARLY
       FOR_BATCH(act);
#endif
     }
  :: atomic { CRASH -> sharers--; end_batch(); goto end_idle }
  fi;

  if
  :: atomic { /* COMMIT */
       true ->
       FOR_BATCH(settle);
       sharers--;
#ifndef AFTERWARDS
       end_batch();
       goto end_idle
#endif
     }
  :: atomic { CRASH -> sharers--; end_batch(); goto end_idle }
  fi;
#ifdef AFTERWARDS
  if
  :: atomic { true -> FOR_BATCH(AFTERWARDS); end_batch(); goto end_idle }
  :: atomic { CRASH -> end_batch(); goto end_idle }
  fi;
#endif

#ifdef EXPIRY
expire:
  if
  :: atomic { /* resolve_memo, settle_intents, COMMIT */
       true -> FOR_BATCH(expire_memo); end_batch(); goto end_idle
     }
  :: atomic { CRASH -> end_batch(); goto end_idle }
  fi
#endif
}

#ifdef APPROVERS
/* ---- Approvers: Approvals::TryVote and MemoEdits::TryEdit, whichever engine
   serves them. ---- */

#define HAS_VOTED(i, a) (row[i].votes & VOTE(row[i].revision, a))
/* Whether a person has a reason to look at a memo. Who made the revision is
   refused (barred_voters). */
#define MAY_SPEAK(i, a) \
  (row[i].open && !off && !row[i].due && !HAS_VOTED(i, a) && \
   row[i].editor != 1 + a)

/* What the call asks once it has the locks. */
#ifdef PLANT_VOTE_UNBOUND
#define IS_FRESH(i) true
#else
#define IS_FRESH(i) (row[i].revision == seen)
#endif
#define CAN_SPEAK(i, a) \
  (!off && row[i].open && !row[i].due && !HAS_VOTED(i, a) && IS_FRESH(i))

inline vote(i) {
  consent[i] = consent[i] | VOTE(seen, a);
  row[i].votes = row[i].votes | VOTE(row[i].revision, a)
}

inline revise(i) {
  row[i].revision++;
  row[i].editor = 1 + a;
  says[i] = verdict
}

inline resume(i) {
  resumptions[i]++;
  execute(i, verdict)
}

inline speak(i) {
  note_act();
  if
#ifdef EDITS
  :: edits -> revise(i)
#endif
  :: !edits && deed != REJECTED -> vote(i)
  :: !edits && deed == REJECTED
  fi;
  if
  :: deed == COUNTED
  :: deed == REJECTED -> finish(i, FAILED)
#if defined(EDITS) || defined(POLICY)
  :: deed == REOPENED -> open_memo(i, verdict)
  :: deed == STOPPED -> block(i)
#endif
  :: deed == RESUMED -> resume(i)
  fi
}

inline forget() {
  deed = UNKNOWN;
  verdict = UNKNOWN;
  edits = false
}

/* The end of the call, and of its transaction where it has one. */
inline hang_up() {
  release(i);
  forget();
  i = 0;
  seen = 0;
  known = 0
}

/* ABORTED: rolled back, the active policy loaded, the call tried again. */
inline catch_up() {
#ifdef POLICY
  if
  :: known != policy ->
     known = policy;
     sharers--;
     release(i);
     forget();
     goto call
  :: else
  fi
#else
  skip
#endif
}

/* How many said yes to the revision, with the vote that is being cast. */
#define YES(i, a) \
  (PEOPLE((row[i].votes | VOTE(row[i].revision, a)), row[i].revision))

proctype Approver(byte me; byte a) {
  byte known = 0;
  byte i = 0;
  byte seen = 0;
  mtype deed = UNKNOWN;
  mtype verdict = UNKNOWN;
  bool edits = false;

end_idle:
  if
  :: atomic { MAY_SPEAK(0, a) -> i = 0; seen = row[0].revision; hear() }
  :: atomic { MAY_SPEAK(1, a) -> i = 1; seen = row[1].revision; hear() }
  fi;

call:
#ifndef PLANT_NO_COMPARE_AND_SET
  if
  :: atomic { lock[i] == NOBODY -> lock[i] = me } /* lock_intent, lock_memo */
  :: atomic { CRASH -> hang_up(); goto end_idle }
  fi;
#endif

  if
  :: atomic { /* barred_voters shares the lock, then reads the switch */
       true ->
       if
       :: CAN_SPEAK(i, a) -> sharers++
       :: else -> hang_up(); goto end_idle
       fi
     }
  :: atomic { CRASH -> hang_up(); goto end_idle }
  fi;

  if /* insert_vote or revise_intent; Resume; settlement_digests */
#ifndef PLANT_NO_COMPARE_AND_SET /* Two who say yes are to show it. */
  :: atomic { true -> deed = REJECTED }
#endif
  :: atomic { YES(i, a) < NEEDED(row[i].demand) -> deed = COUNTED }
  :: atomic {
       YES(i, a) >= NEEDED(row[i].demand) ->
       catch_up();
       ask(i, verdict);
       if
#ifdef POLICY
#ifdef PLANT_APPROVAL_OVERRIDES
       :: verdict == BLOCK -> deed = RESUMED
#else
       :: verdict == BLOCK -> deed = STOPPED
#endif
       :: verdict == TWO && YES(i, a) < 2 -> deed = REOPENED
#endif
       :: verdict == ALLOW || verdict == ONE -> deed = RESUMED
       :: verdict == TWO && YES(i, a) == 2 -> deed = RESUMED
       fi
     }
#ifdef EDITS
  :: atomic {
       row[i].revision == 1 ->
       catch_up();
       edits = true;
       draw(verdict);
       if
       :: verdict == BLOCK -> deed = STOPPED
       :: verdict == ALLOW -> deed = RESUMED
       :: verdict == ONE || verdict == TWO -> deed = REOPENED
       fi
     }
#endif
  :: atomic { CRASH -> sharers--; hang_up(); goto end_idle }
  fi;

  if
  :: atomic { true -> speak(i); sharers--; release(i); forget() } /* COMMIT */
  :: atomic { CRASH -> sharers--; hang_up(); goto end_idle }
  fi;

  if
  /* The answer was lost on its way: the same call again. */
  :: goto call
  :: atomic { true -> hang_up(); goto end_idle }
  fi
}
#endif

/* ---- Everybody else. ---- */

/* Submits two intents (submit_intents: row and entry in one statement), and may
   cancel the first (Approvals::Cancel), whatever became of it. */
proctype Agent(byte me) {
  atomic { row[0].revision = 1; enter(0, DRAFT) };
  atomic { row[1].revision = 1; enter(1, DRAFT) };
#ifdef CANCEL
  if
  :: atomic { lock[0] == NOBODY -> lock[0] = me }
  :: goto done
  fi;
  atomic {
    if
    :: row[0].status == DRAFT || row[0].status == AWAITING -> finish(0, FAILED)
    :: row[0].status != DRAFT && row[0].status != AWAITING
    :: CRASH
    fi;
    release(0)
  };
done:
  skip
#endif
}

#ifdef EXPIRY
/* Time passes, for each memo as it likes, and then for none. */
proctype Clock() {
  do
  :: atomic { row[0].open && !row[0].due -> row[0].due = 1 }
  :: atomic { row[1].open && !row[1].due -> row[1].due = 1 }
  :: break
  od
}
#endif

#ifdef POLICY
/* Another policy becomes active: alone with the policy lock. */
proctype Publisher() {
  atomic {
    sharers == 0 ->
    policy = 1;
    says[0] = UNKNOWN;
    says[1] = UNKNOWN
  }
}
#endif

#ifdef SWITCH
/* set_kill_switch, AwaitSettlements, and on again, or not. */
proctype Operator() {
  off = true;
  atomic { sharers == 0 -> is_quiet = true };
  if
  :: atomic { true -> is_quiet = false; off = false }
  :: skip
  fi
}
#endif

/* ---- What must hold, in every state. ---- */

#define COUNT_OF(b) (b -> 1 : 0)
#define HAS_AUTHORITY(i) \
  (row[i].status != EXECUTED || row[i].result == ALLOW || \
   (row[i].result != BLOCK && row[i].result != UNKNOWN && \
    PEOPLE(consent[i], row[i].revision) >= NEEDED(row[i].result)))
#define IS_TOLD(i) (unaccounted[i] == 0 && told[i] == row[i].status)
#define IS_OPEN_WHILE_AWAITED(i) \
  (row[i].open == COUNT_OF(row[i].status == AWAITING))
#define HAS_ITS_EFFECT(i) (effects[i] == COUNT_OF(row[i].status == EXECUTED))
/* Where nothing more can happen. */
#define IS_AT_REST(i) \
  (lock[i] == NOBODY && \
   (IS_FINAL(row[i].status) || row[i].status == AWAITING || \
    (row[i].status == DRAFT && off)))

proctype Checker() {
  bool at_most_one_outcome = true;
  bool at_most_one_effect = true;
  bool effect_commits_with_outcome = true;
  bool no_effect_without_authority = true;
  bool active_policy_decides = true;
  bool block_stays_block = true;
  bool exactly_one_resumes = true;
  bool claimed_by_one = true;
  bool memo_open_while_awaited = true;
  bool audit_tells_all = true;
  bool off_means_off = true;
  bool no_intent_is_lost = true;

end:
  do
  :: decided_by_another_policy ->
     active_policy_decides = false; assert(active_policy_decides)
  :: block_was_overridden ->
     block_stays_block = false; assert(block_stays_block)
  :: resumptions[0] > 1 || resumptions[1] > 1 ->
     exactly_one_resumes = false; assert(exactly_one_resumes)
  :: claimed_twice -> claimed_by_one = false; assert(claimed_by_one)
  :: outcomes[0] > 1 || outcomes[1] > 1 ->
     at_most_one_outcome = false; assert(at_most_one_outcome)
  :: effects[0] > 1 || effects[1] > 1 ->
     at_most_one_effect = false; assert(at_most_one_effect)
  :: !HAS_ITS_EFFECT(0) || !HAS_ITS_EFFECT(1) ->
     effect_commits_with_outcome = false; assert(effect_commits_with_outcome)
  :: !HAS_AUTHORITY(0) || !HAS_AUTHORITY(1) ->
     no_effect_without_authority = false; assert(no_effect_without_authority)
  :: !IS_OPEN_WHILE_AWAITED(0) || !IS_OPEN_WHILE_AWAITED(1) ->
     memo_open_while_awaited = false; assert(memo_open_while_awaited)
  :: !IS_TOLD(0) || !IS_TOLD(1) ->
     audit_tells_all = false; assert(audit_tells_all)
  :: acted_while_off -> off_means_off = false; assert(off_means_off)
  :: timeout ->
     no_intent_is_lost = IS_AT_REST(0) && IS_AT_REST(1) && sharers == 0;
     assert(no_intent_is_lost);
     break
  od
}

init {
  atomic {
    row[0].status = ABSENT;
    row[1].status = ABSENT;
    told[0] = ABSENT;
    told[1] = ABSENT;
    says[0] = UNKNOWN;
    says[1] = UNKNOWN;
    row[0].result = UNKNOWN;
    row[1].result = UNKNOWN;
    row[0].demand = UNKNOWN;
    row[1].demand = UNKNOWN;
    run Checker();
    run Agent(1);
    run Engine(2);
    run Engine(3);
#ifdef APPROVERS
    run Approver(4, 0);
    run Approver(5, 1);
#endif
#ifdef EXPIRY
    run Clock();
#endif
#ifdef POLICY
    run Publisher();
#endif
#ifdef SWITCH
    run Operator();
#endif
  }
}
