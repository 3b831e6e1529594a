/* The way of two intents whose type has a job for its executor, through two
   engines and two workers: settled into a job, leased, worked on, completed or
   given up; leases that run out, workers that answer late, answers that are
   lost, cancelation, the kill switch, and a crash at every step. README.md
   says what stands for what.

   As in gate.pml a transaction's writes are made in its committing step, and a
   crash leaves nothing of it but free locks. Each PLANT_ is a bug that the
   checker must find. */

#define INTENTS 2
#define NOBODY 0
/* How often a job is handed out at most: once, and one retry. */
#ifndef LEASES_MAX
#define LEASES_MAX 2
#endif

mtype = { DRAFT, VALIDATING, EXECUTED, FAILED };
mtype = { NONE, QUEUED, RUNNING, SUCCEEDED, GIVEN_UP, CANCELED };

#define IS_FINAL(s) (s == EXECUTED || s == FAILED)
#define IS_OVER(s) (s == SUCCEEDED || s == GIVEN_UP || s == CANCELED)

/* What a crash waits for: nothing. To prove that all comes to rest, there are
   no more than so many. */
#ifdef CRASHES
byte crashes_left = CRASHES;
#define CRASH crashes_left > 0 -> crashes_left--
#else
#define CRASH true
#endif

/* ---- What is committed. ---- */

mtype status[INTENTS];
mtype job[INTENTS];
/* The lease token: new for every lease, so that a count is as good. */
byte lease[INTENTS];
/* Who has it (for PLANT_FENCE_BY_NAME), and whether its time is over. */
byte lessee[INTENTS];
bool is_over_time[INTENTS];
bool off = false;

/* ---- Locks: an intent's and its job's, always taken in this order, are one
   here. ---- */

byte lock[INTENTS];
/* How many share the policy lock. */
byte sharers = 0;

/* ---- What is so, for the checker to compare with. ---- */

byte outcomes[INTENTS];
byte completions[INTENTS];
/* Jobs that were made for the intent. */
byte jobs_made[INTENTS];
bool is_quiet = false;
bool acted_while_off = false;
/* Whose work was counted: of the lease in force, or of one that was lost. */
bool took_lost_lease = false;
/* Somebody took a job that another one had taken. */
bool leased_twice = false;

inline finish(i, to) {
  status[i] = to;
  outcomes[i]++
}

inline release(i) {
  if
  :: lock[i] == me -> lock[i] = NOBODY
  :: else
  fi
}

/* ---- Engines: what the worker thread does. ---- */

#define IS_FREE(i) (lock[i] == NOBODY)
#ifdef PLANT_NO_SWEEP
#define IS_DUE(i) false
#else
#define IS_DUE(i) (job[i] == RUNNING && is_over_time[i] && IS_FREE(i))
#endif

inline settle(i) {
  acted_while_off = acted_while_off || is_quiet;
  job[i] = QUEUED;
  jobs_made[i]++;
  status[i] = VALIDATING
}

/* A try that came to nothing. */
inline try_again(i) {
  is_over_time[i] = false;
  if
  :: lease[i] < LEASES_MAX -> job[i] = QUEUED
  :: else -> job[i] = GIVEN_UP; finish(i, FAILED)
  fi
}

/* The end of the transaction, whichever it is. */
inline end_turn() {
  release(i);
  i = 0
}

proctype Engine(byte me) {
  byte i = 0;

end_idle:
  if
  :: atomic { !off && status[0] == DRAFT && IS_FREE(0) -> i = 0; lock[i] = me }
  :: atomic { !off && status[1] == DRAFT && IS_FREE(1) -> i = 1; lock[i] = me }
  :: atomic { IS_DUE(0) -> i = 0; lock[i] = me; goto sweep }
  :: atomic { IS_DUE(1) -> i = 1; lock[i] = me; goto sweep }
  fi;

  if
  :: atomic { /* shares the policy lock, then reads the switch */
       true ->
       if
#ifdef SWITCH
       :: off -> end_turn(); goto end_idle
#endif
       :: else -> sharers++
       fi
     }
  :: atomic { CRASH -> end_turn(); goto end_idle }
  fi;

  if
  :: atomic { /* settle_intents, the job, COMMIT */
       true -> settle(i); sharers--; end_turn(); goto end_idle
     }
  :: atomic { CRASH -> sharers--; end_turn(); goto end_idle }
  fi;

sweep:
  if
  :: atomic { true -> try_again(i); end_turn(); goto end_idle }
  :: atomic { CRASH -> end_turn(); goto end_idle }
  fi
}

/* ---- Workers: lease, work, say how it went. ---- */

/* What they say: of which job, of which lease, whether it went well. A call
   may be long under way, and its worker gone. */
typedef Call {
  bool is_sent;
  byte i;
  byte token;
  bool went_well
}
Call call[2];

inline say(outcome) {
  call[w].is_sent = true;
  call[w].i = i;
  call[w].token = token;
  call[w].went_well = outcome
}

inline forget() {
  i = 0;
  token = 0
}

inline lease_job(i) {
  acted_while_off = acted_while_off || is_quiet;
  leased_twice = leased_twice || job[i] != QUEUED;
  job[i] = RUNNING;
  lease[i]++;
  lessee[i] = w;
  is_over_time[i] = false
}

#ifdef PLANT_NO_LEASE_LOCK
#define IS_LEASABLE(i) (!off && job[i] == QUEUED)
#define LOCK_JOB(i) skip
#else
#define IS_LEASABLE(i) (!off && job[i] == QUEUED && IS_FREE(i))
#define LOCK_JOB(i) lock[i] = me
#endif

proctype Worker(byte me; byte w) {
  byte i = 0;
  byte token = 0;

end_idle:
  if /* SKIP LOCKED */
  :: atomic { IS_LEASABLE(0) -> i = 0; LOCK_JOB(i) }
  :: atomic { IS_LEASABLE(1) -> i = 1; LOCK_JOB(i) }
  fi;

  if
  :: atomic {
       true ->
       if
#ifdef SWITCH
#ifndef PLANT_LEASE_WHILE_OFF
       :: off -> release(i); forget(); goto end_idle
#endif
#endif
       :: else -> sharers++
       fi
     }
  :: atomic { CRASH -> release(i); forget(); goto end_idle }
  fi;

  if
  :: atomic { /* COMMIT */
       true -> lease_job(i); token = lease[i]; sharers--; release(i)
     }
  :: atomic { CRASH -> sharers--; release(i); forget(); goto end_idle }
  fi;

  /* It works, for as long as it likes, or ends, or never heard of its lease. */
  if
  :: atomic { !call[w].is_sent -> say(true) }
  :: atomic { !call[w].is_sent -> say(false) }
  :: atomic { true -> forget(); goto end_idle }
  fi;
  if
  /* It heard nothing, and asks again. */
  :: atomic { !call[w].is_sent -> say(true); forget() }
  :: atomic { true -> forget() }
  fi;
  goto end_idle
}

/* ---- CompleteJob and FailJob: the engine that serves a worker. ---- */

#ifdef PLANT_NO_FENCE
#define IS_HIS(i) true
#else
#ifdef PLANT_FENCE_BY_NAME
#define IS_HIS(i) (lessee[i] == w)
#else
#define IS_HIS(i) (lease[i] == token)
#endif
#endif

#ifdef PLANT_REPEAT_COUNTS
#define IS_OPEN(i) (job[i] == SUCCEEDED || job[i] == RUNNING)
#else
#define IS_OPEN(i) (job[i] == RUNNING && !is_over_time[i])
#endif

inline complete(i) {
  took_lost_lease = took_lost_lease || lease[i] != token;
  completions[i]++;
  job[i] = SUCCEEDED;
#ifndef PLANT_JOB_ENDS_ALONE
  finish(i, EXECUTED)
#endif
}

inline fail_job(i) {
  took_lost_lease = took_lost_lease || lease[i] != token;
  try_again(i)
}

inline hang_up() {
  i = 0;
  token = 0;
  went_well = false
}

proctype Desk(byte me; byte w) {
  byte i = 0;
  byte token = 0;
  bool went_well = false;

end_idle:
  atomic { /* locks the intent and its job, and reads them */
    call[w].is_sent && IS_FREE(call[w].i) ->
    i = call[w].i;
    token = call[w].token;
    went_well = call[w].went_well;
    call[w].is_sent = false;
    call[w].i = 0;
    call[w].token = 0;
    call[w].went_well = false;
    if
    :: IS_OPEN(i) && IS_HIS(i)
    :: else -> hang_up(); goto end_idle
    fi;
#ifndef PLANT_NO_LOCK
    lock[i] = me
#endif
  };

  if
  :: atomic { went_well -> complete(i); release(i); hang_up() } /* COMMIT */
  :: atomic { !went_well -> fail_job(i); release(i); hang_up() }
  :: atomic { CRASH -> release(i); hang_up() }
  fi;
  goto end_idle
}

/* ---- Everybody else. ---- */

/* Time passes: each lease runs out, sooner or later, unless it was used. */
proctype Clock() {
end:
  do
  :: atomic { job[0] == RUNNING && !is_over_time[0] -> is_over_time[0] = true }
  :: atomic { job[1] == RUNNING && !is_over_time[1] -> is_over_time[1] = true }
  od
}

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

#ifdef CANCEL
/* Cancels the first intent's job, or comes too late. */
proctype Canceler(byte me) {
end:
  atomic { lock[0] == NOBODY && job[0] != NONE -> lock[0] = me };
  atomic {
    if
    :: !IS_OVER(job[0]) -> job[0] = CANCELED; finish(0, FAILED)
    :: IS_OVER(job[0])
    :: CRASH
    fi;
    release(0)
  }
}
#endif

/* ---- What must hold, in every state. ---- */

#define COUNT_OF(b) (b -> 1 : 0)
#define HAS_ITS_JOB(i) \
  (jobs_made[i] == COUNT_OF(status[i] != DRAFT) && \
   IS_FINAL(status[i]) == IS_OVER(job[i]) && \
   completions[i] == COUNT_OF(status[i] == EXECUTED))
/* Where nothing more can happen. */
#define IS_AT_REST(i) \
  (lock[i] == NOBODY && \
   (IS_FINAL(status[i]) || \
    (off && (status[i] == DRAFT || job[i] == QUEUED))))

proctype Checker() {
  bool at_most_one_outcome = true;
  bool at_most_one_completion = true;
  bool job_ends_with_its_intent = true;
  bool lost_lease_completes_nothing = true;
  bool leased_to_one = true;
  bool off_means_off = true;
  bool no_intent_is_lost = true;

end:
  do
  :: leased_twice -> leased_to_one = false; assert(leased_to_one)
  :: completions[0] > 1 || completions[1] > 1 ->
     at_most_one_completion = false; assert(at_most_one_completion)
  :: outcomes[0] > 1 || outcomes[1] > 1 ->
     at_most_one_outcome = false; assert(at_most_one_outcome)
  :: !HAS_ITS_JOB(0) || !HAS_ITS_JOB(1) ->
     job_ends_with_its_intent = false; assert(job_ends_with_its_intent)
  :: took_lost_lease ->
     lost_lease_completes_nothing = false; assert(lost_lease_completes_nothing)
  :: acted_while_off -> off_means_off = false; assert(off_means_off)
  :: timeout ->
     no_intent_is_lost = IS_AT_REST(0) && IS_AT_REST(1) && sharers == 0;
     assert(no_intent_is_lost);
     break
  od
}

init {
  atomic {
    status[0] = DRAFT;
    status[1] = DRAFT;
    job[0] = NONE;
    job[1] = NONE;
    run Checker();
    run Engine(1);
    run Engine(2);
    run Worker(3, 0);
    run Worker(4, 1);
    run Desk(5, 0);
    run Desk(6, 1);
    run Clock();
#ifdef SWITCH
    run Operator();
#endif
#ifdef CANCEL
    run Canceler(7);
#endif
  }
}
