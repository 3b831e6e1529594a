// Effects on who there is: the tenant, its agents and members. Those on agents
// and members write the audit entry that an operator's change of the same kind
// writes.

#include "engine/effects/families.h"

namespace sgl::engine {
namespace {

constexpr char kNoAgent[] = "`agent_id` names no agent of this tenant";

}  // namespace

std::vector<EffectDecl> DirectoryEffects() {
  return {
      {.intent_type = "AGENT_REGISTER",
       .summary = "Registers an active agent, owned by who owns the one that "
                  "asks; its tier is 0 where none is given.",
       .fields = {{"name", "string"},
                  {"role", "string"},
                  {"tier", "int?"},
                  {"labels", "list<string>?"}},
       .output = {"agent_id"},
       .tables = {"agent_registry"}},
      {.intent_type = "AGENT_UPDATE",
       .summary = "Changes an agent; what is left out stays.",
       .fields = {{"agent_id", "string"},
                  {"role", "string?"},
                  {"tier", "int?"},
                  {"labels", "list<string>?"}},
       .output = {"agent_id"},
       .missing = kNoAgent,
       .needs_change = true,
       .tables = {"agent_registry"}},
      {.intent_type = "AGENT_RETIRE",
       .summary = "Gives an agent the status `retired`, which rules can read.",
       .fields = {{"agent_id", "string"}},
       .output = {"agent_id"},
       .missing = kNoAgent,
       .tables = {"agent_registry"}},
      {.intent_type = "AGENT_SWITCH_OFF",
       .summary = "Sets an agent's kill switch, for one that watches others; "
                  "only an operator switches it on again.",
       .fields = {{"agent_id", "string"}, {"reason", "string"}},
       .output = {"agent_id"},
       .missing = kNoAgent,
       .tables = {"switch_orders", "system_state"}},
      {.intent_type = "MEMBER_ADD",
       .summary = "Makes a person a member, or one who was removed again.",
       .fields = {{"email", "string"},
                  {"name", "string"},
                  {"role", "string"},
                  {"seat_type", "enum(free_beta, starter, pro, enterprise)"}},
       .output = {"user_id"},
       .tables = {"app_users", "tenant_members"}},
      {.intent_type = "MEMBER_ROLE_CHANGE",
       .summary = "Gives a member another role; those beside it stay.",
       .fields = {{"user_id", "string"}, {"role", "string"}},
       .output = {"user_id"},
       .missing = "`user_id` names no member of this tenant",
       .tables = {"tenant_members"}},
      {.intent_type = "TENANT_RENAME",
       .summary = "Gives the tenant another name; its slug stays.",
       .fields = {{"name", "string"}},
       .output = {"tenant_id"},
       .tables = {"tenants"}},
  };
}

}  // namespace sgl::engine
