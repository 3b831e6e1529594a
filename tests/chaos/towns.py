"""Whom the chaos suite has call: two tenants, each with agents that submit,
people who vote and a switch of its own. Made through an engine, as a platform's
operator would.
"""
import dataclasses

from tests.chaos import crowd
from tests.e2e import harness

SLUGS = ("east", "west")
# So many of each role that demands can be met with some of them barred.
_ROLES = ("compliance", "owner", "privacy", "member") * 2
_AGENTS = 2


@dataclasses.dataclass(frozen=True)
class Agent:
    id: str
    token: str


@dataclasses.dataclass(frozen=True)
class Town:
    """One tenant. Immutable."""
    slug: str
    tenant_id: str
    agents: list
    people: list
    operator_token: str
    worker_token: str
    # An agent that does nothing but flood.
    flooder: Agent


def _make_town(admin, slug):
    tenant_id = admin.call("CreateTenant", slug=slug, name=slug).tenant.id
    people = []
    for number, role in enumerate(_ROLES):
        email = f"{role}{number}@{slug}.example"
        member = admin.call("CreateMember", tenant=slug, email=email, role=role,
                            name=f"{role} {number}").member
        token = admin.call("CreateToken", tenant=slug, kind=crowd.USER,
                           principal=email).secret
        people.append(crowd.Person(member.user_id, role, token))

    def make_agent(name, owner):
        agent = admin.call("CreateAgent", tenant=slug, name=name,
                           owner=owner).agent
        return Agent(agent.id,
                     admin.call("CreateToken", tenant=slug, kind=crowd.AGENT,
                                principal=agent.id).secret)

    # Each agent is owned by one of those people, who can't vote on its intents.
    agents = [make_agent(f"agent {number}", people[number].user_id)
              for number in range(_AGENTS)]
    operator = admin.call("CreateToken", tenant=slug, kind=crowd.OPERATOR,
                          name="operator").secret
    worker = admin.call("CreateToken", tenant=slug, kind=crowd.WORKER,
                        name="worker").secret
    return Town(slug, tenant_id, agents, people, operator, worker,
                make_agent("flooder", ""))


def found(address, platform_token):
    """Makes both; returns them."""
    channel = harness.grpc.insecure_channel(address)
    admin = crowd.Admin(channel, platform_token)
    towns = [_make_town(admin, slug) for slug in SLUGS]
    channel.close()
    return towns
