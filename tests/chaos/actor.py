"""Who makes the chaos: one thread that by its seed kills, pauses and floods
engines, stops PostgreSQL, cuts connections, throws switches and activates other rules,
in between some turns of the clients.

    actor = actor.Actor(engines, database, digests, towns, fleet, platform_wire,
                        rng)
    actor.run(seconds)
    actor.events                  # a Counter of what was done
"""
import collections
import threading
import time
import uuid

import grpc

from tests.chaos import calls
from tests.chaos import rules
from tests.e2e import harness

# Longer than an engine's statements may take (10 s) and its transactions may
# stand idle (15 s; storage/database.h): what a paused one held is let go.
PAUSE_SECONDS = 17
# Turns of clients between two events, and how long for the last of them.
_TURNS_MIN, _TURNS_MAX = 5, 120
_TURNS_SECONDS_MAX = 3
# PostgreSQL is away for up to this long; failing over takes no less.
_AWAY_SECONDS_MAX = 2.0
# How long a switch is off, in turns.
_OFF_TURNS_MIN, _OFF_TURNS_MAX = 10, 80
# A settlement of an engine that is paused ends with its timeouts.
_SWITCH_TRIES_MAX = 20
# So does one that stands in the way of other rules.
# Longer than a paused engine keeps a settlement from its end.
_ACTIVATION_SECONDS_MAX = 60
# Calls a second of one principal: the clients' stay far below. An engine that
# is too slow to be called as often has its queue of 1,024 filled by as many
# calls as a flood may have.
RATE_LIMIT = 50
_FLOOD_CALLS_MAX = 3000
_REFUSED = grpc.StatusCode.RESOURCE_EXHAUSTED
_FLOOD_AT_ONCE = 100
# One in so many of a flood is a submission; the others only read.
_FLOOD_SUBMISSION = 20
# Submissions that are under way when an engine is paused, so that it holds
# transactions; they live to see it resume.
_PAUSED_SUBMISSIONS = 40
_CALL_SECONDS = PAUSE_SECONDS + 10
# Kills of a paused engine are fewer than those of one that runs: it is to come
# to itself again.
_PAUSED_KILLED_SHARE = 0.15


class Actor:
    """Confined to its caller's thread, but for `events`, which grows."""

    def __init__(self, engines, database, digests, towns, fleet, platform_wire,
                 rng):
        self._engines = engines
        self._database = database
        # Two versions of the rules, of which the ledger knows the active one.
        self._digests = digests
        self._towns = towns
        self._fleet = fleet
        self._platform = platform_wire
        self._rng = rng
        # Whose agent makes the calls that are too many, or caught by a pause.
        self._flooded = towns[0]
        self._resume_at = None
        # Calls that a pause caught: (line, begun).
        self._caught = []
        self.events = collections.Counter()
        self.failures = []

    def run(self, seconds, late=0):
        """Makes chaos for so long, then puts everything right again; up to
        `late` seconds longer, until each event came once."""
        until = time.monotonic() + seconds
        # Each once, in any order; from then on by weight.
        planned = self._rng.sample(list(EVENTS), len(EVENTS))
        while time.monotonic() < until + (late if planned else 0):
            self._pick_event(planned)(self)
            self._look_after_engines()
            self._let_clients(self._rng.randint(_TURNS_MIN, _TURNS_MAX))
        for engine in self._engines:
            if engine.is_paused:
                self._resume(engine)
        for line, begun in self._caught:
            self._collect(begun)
            line.close()

    def _pick_event(self, planned):
        """The next of those planned that may happen now, or else any."""
        events = dict(EVENTS)
        if any(engine.is_paused for engine in self._engines):
            # Its transactions are to end by their timeouts.
            del events[Actor.drop_connections], events[Actor.stop_postgres]
        for event in planned:
            if event in events:
                planned.remove(event)
                return event
        return self._rng.choices(list(events), list(events.values()))[0]

    def _let_clients(self, turns):
        self._fleet.turns.wait_for(self._fleet.turns.count + turns,
                                   _TURNS_SECONDS_MAX)

    def _look_after_engines(self):
        for engine in self._engines:
            if engine.has_ended():
                self.failures.append(
                    f"{engine.name} ended by itself:\n{engine.log()[-3000:]}")
                engine.start()
            elif engine.is_paused and time.monotonic() > self._resume_at:
                self._resume(engine)

    def _resume(self, engine):
        engine.resume()
        self.events["resume"] += 1

    def _pick_running(self):
        return self._rng.choice(
            [engine for engine in self._engines if not engine.is_paused])

    # --- What happens ---

    def kill(self):
        """`kill -9`, of a paused one too."""
        paused = [engine for engine in self._engines if engine.is_paused]
        # The first that is paused lives to see the end of it.
        if (paused and self.events["resume"] > 0 and
                self._rng.random() < _PAUSED_KILLED_SHARE):
            engine = paused[0]
        else:
            engine = self._pick_running()
        engine.kill()
        engine.start()
        self.events["kill"] += 1

    def drop_connections(self):
        self.events["dropped connections"] += self._database.drop_connections()
        self.events["drop"] += 1

    def stop_postgres(self):
        self._database.stop_at_once()
        threading.Event().wait(self._rng.uniform(0, _AWAY_SECONDS_MAX))
        self._database.start()
        self.events["stop postgres"] += 1

    def pause(self):
        """One engine at a time, in the middle of its work; it is resumed when
        its time has come, and must not take up what it held before."""
        if any(engine.is_paused for engine in self._engines):
            return
        engine = self._pick_running()
        line = calls.Line(engine.address)
        begun = self._begin_calls(line, _PAUSED_SUBMISSIONS, 1)
        # The first answer says that they are being worked on.
        is_answering = threading.Event()
        for _, future in begun:
            future.add_done_callback(lambda _: is_answering.set())
        is_answering.wait(_CALL_SECONDS)
        engine.pause()
        self._caught.append((line, begun))
        self._resume_at = time.monotonic() + PAUSE_SECONDS
        self.events["pause"] += 1

    def throw_switch(self):
        """Off, until the engines say that nothing is under way; after some
        turns on again."""
        town = self._rng.choice(self._towns)
        agent = self._rng.choice(town.agents)
        name = self._rng.choice([
            {"level": 1}, {"level": 2, "tenant": town.slug},
            {"level": 3, "tenant": town.slug, "agent": agent.id}])
        if self._set_switch(name, False):
            since = time.time()
            self._let_clients(self._rng.randint(_OFF_TURNS_MIN,
                                                _OFF_TURNS_MAX))
            window = rules.OffWindow(
                ("", "platform", "tenant", "agent")[name["level"]],
                town.tenant_id, name.get("agent", ""), since, time.time())
            with self._fleet.lock:
                self._fleet.ledger.windows.append(window)
            self.events["switch off"] += 1
        self._set_switch(name, True)

    def _set_switch(self, name, is_on):
        """Whether it is set, and nothing that it forbids is under way."""
        for _ in range(_SWITCH_TRIES_MAX):
            answer, error, _ = self._platform.call(
                "SetKillSwitch",
                harness.admin_service_pb2.SetKillSwitchRequest(
                    engine_enabled=is_on, reason="chaos", **name))
            if error is None and (is_on or answer.settlements_ended):
                return True
            if error is not None and calls.reason_of(error) != "CONFLICT":
                raise error
        if is_on:
            raise AssertionError(f"the switch {name} can't be set on again")
        return False

    def swap_rules(self):
        """Another version of the same rules becomes active: what was decided
        under the one before, and isn't settled yet, is decided again."""
        reigns = self._fleet.ledger.reigns
        reigns[-1].until = time.time()
        digest = next(one for one in self._digests
                      if one != reigns[-1].digest)
        deadline = time.monotonic() + _ACTIVATION_SECONDS_MAX
        while told := self._database.activate(digest):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{digest} can't be made the active version: {told}")
        reigns.append(rules.Reign(digest, time.time()))
        self.events["swap rules"] += 1

    def flood(self):
        """More calls than a principal may make, at one engine, until it
        refuses; a refusal says when to come again, and did nothing."""
        engine = self._pick_running()
        line = calls.Line(engine.address)
        is_refusing = threading.Event()
        begun = []
        while len(begun) < _FLOOD_CALLS_MAX and not is_refusing.is_set():
            calls_begun = self._begin_calls(line, _FLOOD_AT_ONCE,
                                            _FLOOD_SUBMISSION)
            for _, future in calls_begun:
                future.add_done_callback(
                    lambda done: done.code() == _REFUSED and is_refusing.set())
            begun += calls_begun
        refusals = self._collect(begun)
        line.close()
        if refusals == 0:
            self.failures.append(f"{_FLOOD_CALLS_MAX} calls at once of one "
                                 f"principal: {engine.name} refused none")
        self.events["flood"] += 1
        self.events["refused in floods"] += refusals

    def _begin_calls(self, line, count, submission):
        """Begins so many calls of one principal, one in `submission` of them a
        submission; returns (request id or None, future) of each."""
        wire = calls.Wire([line], 0, self._flooded.flooder.token,
                          timeout=_CALL_SECONDS)
        begun = []
        for number in range(count):
            request_id = str(uuid.UUID(int=self._rng.getrandbits(128),
                                       version=4))
            if number % submission:
                begun.append((None, wire.begin(
                    "GetIntent", harness.intent_service_pb2.GetIntentRequest(
                        id=request_id), 0)))
                continue
            with self._fleet.lock:
                self._fleet.ledger.asked.add(request_id)
            begun.append((request_id, wire.begin(
                "SubmitIntent", harness.intent_service_pb2.SubmitIntentRequest(
                    request_id=request_id, intent_type="POST",
                    payload='{"text": "flood"}'), 0)))
        return begun

    def _collect(self, begun):
        """Notes what was answered; returns how many calls were refused."""
        refusals = 0
        for request_id, future in begun:
            try:
                answer = future.result()
            except grpc.RpcError as error:
                if error.code() == _REFUSED:
                    refusals += 1
                    self._note_refusal(request_id, error)
                continue
            with self._fleet.lock:
                self._fleet.ledger.note_submission(
                    request_id, answer.intent.id, self._flooded.tenant_id)
        return refusals

    def _note_refusal(self, request_id, error):
        if b"google.rpc.RetryInfo" not in calls.details_of(error):
            self.failures.append(f"a refusal without RetryInfo: {error}")
        if request_id is not None:
            with self._fleet.lock:
                self._fleet.ledger.refused.add(request_id)


# How often each is what happens next.
EVENTS = {Actor.kill: 4, Actor.drop_connections: 4, Actor.stop_postgres: 3,
          Actor.pause: 2, Actor.throw_switch: 2, Actor.swap_rules: 3,
          Actor.flood: 1}
