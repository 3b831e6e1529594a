"""The people and agents of a race: 200 members of one tenant with a token each,
and agents of which some of those people are owners or issued the tokens.
"""
import concurrent.futures
import dataclasses

from tests.e2e import harness

PEOPLE = 200
AGENTS = 10
# Whose numbers are an agent's owner, and then those who issued its token: the
# agent is that of the number modulo AGENTS.
BARRED = range(2 * AGENTS)
# Delegations from one holder of `compliance` or `privacy` to a mere member.
LENT = 40
# Each person's, by turns.
ROLES = ("compliance", "owner", "privacy", "member")
# Calls at once while people are made.
_CALLS = 16
USER = 2
WORKER = 3
AGENT = 1
OPERATOR = 4


@dataclasses.dataclass(frozen=True)
class Person:
    user_id: str
    role: str
    token: str


@dataclasses.dataclass(frozen=True)
class Crowd:
    people: list
    agent_tokens: list

    def roles(self):
        """What a ledger holds: each person's roles by user id."""
        return {person.user_id: {person.role} for person in self.people}


class Admin:
    """AdminService, called as one operator."""

    def __init__(self, channel, token):
        self._stub = harness.admin_service_pb2_grpc.AdminServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def call(self, method, **fields):
        request = getattr(harness.admin_service_pb2, f"{method}Request")
        return getattr(self._stub, method)(
            request(**fields), metadata=self._metadata, timeout=60)


def gather(server):
    """Makes them all; returns the crowd."""
    channel = harness.grpc.insecure_channel(server.ready["address"])
    admin = Admin(channel, server.ready["tokens"]["operator"])

    def make_person(number):
        email = f"person{number}@race.example"
        role = ROLES[number % len(ROLES)]
        member = admin.call("CreateMember", email=email, role=role,
                            name=f"person {number}").member
        secret = admin.call("CreateToken", kind=USER, principal=email).secret
        return Person(member.user_id, role, secret)

    with concurrent.futures.ThreadPoolExecutor(_CALLS) as pool:
        people = list(pool.map(make_person, range(PEOPLE)))

    def make_agent(number):
        # Owned by one person, its token issued by another: neither may vote
        # on what it asks for.
        issuer = people[AGENTS + number]
        name = f"agent {number}"
        admin.call("CreateAgent", name=name,
                   owner=f"person{number}@race.example")
        operator = admin.call("CreateToken", kind=OPERATOR,
                              principal=issuer.user_id, name=name).secret
        return Admin(channel, operator).call(
            "CreateToken", kind=AGENT, principal=name).secret

    agent_tokens = [make_agent(number) for number in range(AGENTS)]
    _lend(server, people)
    channel.close()
    return Crowd(people, agent_tokens)


def _lend(server, people):
    """The first holders of two roles lend them; among them are agents' owners
    and issuers, who lend nothing where they are barred themselves."""
    lenders = [person for person in people
               if person.role in ("compliance", "privacy")]
    members = [person for person in people if person.role == "member"]
    for lender, borrower in zip(lenders[:LENT], members):
        client = server.client_with(lender.token)
        request = harness.decision_service_pb2.CreateDelegationRequest(
            to_user_id=borrower.user_id, reason="away for the race")
        request.end_time.GetCurrentTime()
        request.end_time.seconds += 86400
        client.decisions.CreateDelegation(request, metadata=client.metadata,
                                          timeout=30)
