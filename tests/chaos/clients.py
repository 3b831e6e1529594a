"""What calls the engines while chaos is made: threads of which each takes turn
after turn as an agent, an existing writer, a person or a snoop, and notes all
that it is answered; beside them the workers of workers.py.

    fleet = clients.Fleet(towns, lines, database, ledger, rng)
    fleet.start()
    ...                          # fleet.turns counts what they did
    fleet.finish()               # raises what a client could not explain

Each turn is one of KINDS, by weight. A client of a new kind is one more method
of `Client` and its line there.
"""
import collections
import random
import threading
import time
import uuid

import grpc

from tests.chaos import calls
from tests.chaos import database
from tests.chaos import person
from tests.chaos import rules
from tests.chaos import workers
from tests.e2e import harness

# Clients that act at once. With two cores below engines and PostgreSQL more
# only wait for each other.
CLIENTS = 12
TYPES = ("POST", "WIRE", "FILING", "QUICK", "ORPHAN", "ERRAND", "BURST")
_TYPE_WEIGHTS = (8, 4, 3, 1, 2, 5, 3)
_SPENDS = (person.SMALL, person.BIG, person.HUGE)
_SPEND_WEIGHTS = (5, 5, 1)
# What a row inserted by SQL says of its spend, in dollars.
_MICROS = 1_000_000
_TYPES_ASKED_ABOUT = tuple(person.REASON_CODES)
# A paused engine answers nobody: after this long another one is asked.
_CALL_SECONDS = 6
_WAIT_SECONDS = 2
_PAUSE_SECONDS = 0.1
# Together more than any outage here lasts.
_TRIES_MAX = 600
# What a client may come back to. Few memos, so that many vote on the same.
_RECENT_MAX = 200
_OPEN_MEMOS_MAX = 8
_VOTERS_AT_ONCE = 4
_BATCH = 3
# A whole run must be read into memory and judged: no more is submitted then.
INTENTS_MAX = 20_000


class Place:
    """What the clients of one tenant know of each other. Thread-safe: deques
    are, and nothing here must agree with anything else."""

    def __init__(self, town):
        self.town = town
        self.recent = collections.deque(maxlen=_RECENT_MAX)
        self.open_memos = collections.deque(maxlen=_OPEN_MEMOS_MAX)
        # By agent: what was submitted, to be repeated.
        self.requests = [collections.deque(maxlen=_RECENT_MAX)
                         for _ in town.agents]


class Client:
    """One thread's callers, all in one tenant, and a stranger to the other."""

    def __init__(self, fleet, number, place, elsewhere, rng):
        self._fleet = fleet
        self._ledger = fleet.ledger
        self._lock = fleet.lock
        self._place = place
        self._elsewhere = elsewhere
        self._rng = rng
        town = place.town
        self._agent_number = number % len(town.agents)
        self._agent = town.agents[self._agent_number]
        self._agent_wire = fleet.wire(number, self._agent.token)
        self._operator_wire = fleet.wire(number, town.operator_token)
        self._people = [
            person.Person(who, fleet.wire(number + shift, who.token), rng,
                          fleet.lock, fleet.ledger, _TYPES_ASKED_ABOUT)
            for shift, who in enumerate(town.people)]

    def take_turn(self):
        kind = self._rng.choices(list(KINDS), list(KINDS.values()))[0]
        kind(self)

    # --- Submitting ---

    def _new_request(self, wait=0):
        intent_type = self._rng.choices(TYPES, _TYPE_WEIGHTS)[0]
        request = harness.intent_service_pb2.SubmitIntentRequest(
            request_id=str(uuid.UUID(int=self._rng.getrandbits(128),
                                     version=4)),
            intent_type=intent_type,
            payload=f'{{"text": "{self._rng.getrandbits(64):x}"}}',
            spend_micros_usd=self._rng.choices(_SPENDS, _SPEND_WEIGHTS)[0])
        request.wait.FromSeconds(wait)
        return request

    def _note_intent(self, intent, asked_at):
        """Notes an intent as an answer shows it."""
        status = harness.intent_pb2.IntentStatus.Name(
            intent.status).removeprefix("INTENT_STATUS_")
        if status == "AWAITING_HUMAN":
            self._place.open_memos.append(intent.decision_memo_id)
        with self._lock:
            self._ledger.sightings.append(rules.Sighting(
                intent.id, status, asked_at, time.monotonic()))
            if intent.tenant_id != self._place.town.tenant_id:
                self._ledger.leaks.append(intent.id)

    def _note_submitted(self, request, intent, asked_at):
        with self._lock:
            self._ledger.note_submission(request.request_id, intent.id,
                                         self._place.town.tenant_id)
        self._place.recent.append(intent.id)
        self._note_intent(intent, asked_at)

    def _send(self, request):
        with self._lock:
            self._ledger.asked.add(request.request_id)
        asked_at = time.monotonic()
        answer, error, _ = self._agent_wire.call(
            "SubmitIntent", request,
            timeout=_CALL_SECONDS + request.wait.seconds)
        if error is not None:
            self._note_strange("SubmitIntent", error)
            return
        self._note_submitted(request, answer.intent, asked_at)
        self._place.requests[self._agent_number].append(request)

    def submit(self):
        if self._fleet.may_submit():
            self._send(self._new_request())

    def submit_and_wait(self):
        if self._fleet.may_submit():
            self._send(self._new_request(_WAIT_SECONDS))

    def repeat(self):
        """What this or another client of the agent submitted before."""
        requests = self._place.requests[self._agent_number]
        if requests:
            self._send(self._rng.choice(list(requests)))

    def submit_twice(self):
        """One request at two engines at once, then until it is answered."""
        if not self._fleet.may_submit():
            return
        request = self._new_request()
        with self._lock:
            self._ledger.asked.add(request.request_id)
        asked_at = time.monotonic()
        for future in [self._agent_wire.begin("SubmitIntent", request, number)
                       for number in range(2)]:
            try:
                self._note_submitted(request, future.result().intent, asked_at)
            except grpc.RpcError:
                pass  # It is sent again below.
        self._send(request)

    def insert(self):
        """As a system does that was there before the engine: plain SQL, the
        same rows again until the database says that it has them."""
        if not self._fleet.may_submit():
            return
        ids = [str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
               for _ in range(self._rng.randint(1, 3))]
        rows = ", ".join(
            f"('{row_id}', '{self._place.town.tenant_id}', "
            f"'{self._agent.id}', '{self._rng.choices(TYPES, _TYPE_WEIGHTS)[0]}"
            f"', '{{\"text\": \"sql\", \"spendUsd\": "
            f"{self._rng.choice(_SPENDS) // _MICROS}}}')"
            for row_id in ids)
        sql = ("INSERT INTO intents (id, tenant_id, agent_id, intent_type, "
               f"payload) VALUES {rows} ON CONFLICT (id) DO NOTHING;")
        with self._lock:
            self._ledger.insert_tried.update(ids)
        for _ in range(_TRIES_MAX):
            try:
                database.run_sql(self._fleet.database.owner_url, sql)
                break
            except database.SqlError:
                self._fleet.rest_a_moment()
        else:
            raise AssertionError("the database takes no rows")
        with self._lock:
            self._ledger.inserted.update(ids)
            for row_id in ids:
                self._ledger.tenants[row_id] = self._place.town.tenant_id
        self._place.recent.extend(ids)

    # --- Looking and canceling ---

    def read(self):
        if not self._place.recent:
            return
        asked_at = time.monotonic()
        answer, error, _ = self._agent_wire.call(
            "GetIntent", harness.intent_service_pb2.GetIntentRequest(
                id=self._rng.choice(list(self._place.recent))))
        if error is not None:
            self._note_strange("GetIntent", error)
        else:
            self._note_intent(answer.intent, asked_at)

    def cancel(self):
        if not self._place.recent:
            return
        wire = self._rng.choice([self._agent_wire, self._operator_wire])
        asked_at = time.monotonic()
        intent_id = self._rng.choice(list(self._place.recent)[-10:])
        with self._lock:
            self._ledger.cancel_tried.add(intent_id)
        answer, error, _ = wire.call(
            "CancelIntent",
            harness.intent_service_pb2.CancelIntentRequest(id=intent_id))
        if error is not None:
            self._note_strange("CancelIntent", error)
            return
        self._note_intent(answer.intent, asked_at)
        with self._lock:
            self._ledger.canceled.append(intent_id)

    def snoop(self):
        """Asks for what is another tenant's; that is never there."""
        strangers = list(self._elsewhere.recent)
        memos = list(self._elsewhere.open_memos)
        if not strangers or not memos:
            return
        stranger = self._rng.choice(strangers)
        decisions = harness.decision_service_pb2
        for wire, method, request in (
                (self._agent_wire, "GetIntent",
                 harness.intent_service_pb2.GetIntentRequest(id=stranger)),
                (self._operator_wire, "CancelIntent",
                 harness.intent_service_pb2.CancelIntentRequest(id=stranger)),
                (self._people[0].wire, "GetDecisionMemo",
                 decisions.GetDecisionMemoRequest(id=self._rng.choice(memos))),
                (self._people[1].wire, "ApproveDecisionMemo",
                 decisions.ApproveDecisionMemoRequest(
                     id=self._rng.choice(memos), revision=1,
                     payload_sha256="0" * 64))):
            _, error, _ = wire.call(method, request)
            if error is None or error.code() != grpc.StatusCode.NOT_FOUND:
                with self._lock:
                    self._ledger.leaks.append(f"{method} {stranger}: {error}")

    def _note_strange(self, method, error):
        reason = calls.reason_of(error)
        if reason not in rules.ANSWERS:
            with self._lock:
                self._ledger.strange.append((method, f"{reason}: {error}"))

    # --- People ---

    def _pick_memo(self, who):
        """An open memo as this person sees it, or None."""
        memos = list(self._place.open_memos)
        if not memos:
            return None
        try:
            memo = who.look(self._rng.choice(memos))
        except grpc.RpcError as error:
            self._note_strange("GetDecisionMemo", error)
            return None
        if memo.status != harness.intent_pb2.MEMO_STATUS_PROPOSED:
            try:
                self._place.open_memos.remove(memo.id)
            except ValueError:
                pass  # Another client was faster.
            return None
        return memo

    def approve(self):
        who = self._rng.choice(self._people)
        memo = self._pick_memo(who)
        if memo is not None:
            who.approve(memo)

    def reject(self):
        who = self._rng.choice(self._people)
        memo = self._pick_memo(who)
        if memo is not None:
            who.reject(memo)

    def edit(self):
        who = self._rng.choice(self._people)
        memo = self._pick_memo(who)
        if memo is not None:
            who.edit(memo)

    def approve_batch(self):
        who = self._rng.choice(self._people)
        memos = [memo for memo in (self._pick_memo(who) for _ in range(_BATCH))
                 if memo is not None]
        if memos:
            who.approve_batch(list({memo.id: memo for memo in memos}.values()))

    def approve_together(self):
        """Several people at the same moment, spread over the engines."""
        memo = self._pick_memo(self._people[0])
        if memo is None:
            return
        voters = self._rng.sample(self._people, _VOTERS_AT_ONCE)
        futures = [who.wire.begin("ApproveDecisionMemo",
                                  who.approval_of(memo), number)
                   for number, who in enumerate(voters)]
        for who, future in zip(voters, futures):
            try:
                answer = future.result()
            except grpc.RpcError as error:
                in_doubt = error.code() in calls.IN_DOUBT
                who.note("APPROVE", memo, calls.reason_of(error), in_doubt)
                continue
            who.note("APPROVE", memo, "ACKNOWLEDGED", 0,
                     harness.intent_pb2.IntentStatus.Name(
                         answer.intent.status))


# How often each is what a client does next.
KINDS = {Client.submit: 30, Client.submit_and_wait: 15, Client.repeat: 8,
         Client.submit_twice: 5, Client.insert: 5, Client.read: 15,
         Client.cancel: 5, Client.snoop: 3, Client.approve: 20,
         Client.reject: 2, Client.edit: 5, Client.approve_batch: 4,
         Client.approve_together: 15}


class Fleet:
    """All clients, and what they share. One fleet a round."""

    def __init__(self, towns, lines, database_, ledger, rng):
        self.database = database_
        self.ledger = ledger
        self.lock = threading.Lock()
        self.turns = calls.Turns()
        self._lines = lines
        self.is_over = threading.Event()
        self._failures = []
        places = [Place(town) for town in towns]
        self._clients = [
            Client(self, number, places[number % len(places)],
                   places[(number + 1) % len(places)],
                   random.Random(rng.getrandbits(64)))
            for number in range(CLIENTS)]
        self._clients += [
            workers.Worker(self, number, towns[number % len(towns)],
                           random.Random(rng.getrandbits(64)))
            for number in range(workers.WORKERS)]
        self._threads = [threading.Thread(target=self._run, args=(client,))
                         for client in self._clients]

    def wire(self, home, token):
        return calls.Wire(self._lines, home, token, timeout=_CALL_SECONDS,
                          tries_max=_TRIES_MAX, pause=self.rest_a_moment)

    def may_submit(self):
        with self.lock:
            return (len(self.ledger.asked) +
                    len(self.ledger.insert_tried)) < INTENTS_MAX

    @staticmethod
    def rest_a_moment():
        """Between two tries at what is away."""
        threading.Event().wait(_PAUSE_SECONDS)

    def _run(self, client):
        try:
            while not self.is_over.is_set():
                client.take_turn()
                self.turns.add()
        except BaseException as failure:
            self._failures.append(failure)

    def start(self):
        for thread in self._threads:
            thread.start()

    def finish(self):
        """Lets each client end its turn; nothing is in doubt any more then."""
        self.is_over.set()
        for thread in self._threads:
            thread.join()
        for failure in self._failures:
            raise failure
