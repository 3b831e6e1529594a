// Effects on tickets.

#include "engine/effects/families.h"

namespace sgl::engine {
namespace {

constexpr char kNoTicket[] = "`ticket_id` names no ticket of this tenant";
constexpr char kSeverity[] = "enum(LOW, MEDIUM, HIGH, BLOCKER)";

}  // namespace

std::vector<EffectDecl> TicketEffects() {
  return {
      {.intent_type = "TICKET_OPEN",
       .summary = "Opens a ticket in the agent's name.",
       .fields = {{"title", "string"},
                  {"description", "string"},
                  {"severity", kSeverity},
                  {"category", "enum(BUG, UX, GUARDRAIL, PERFORMANCE, OTHER)"},
                  {"reporter", "string?"}},
       .output = {"ticket_id"},
       .tables = {"tickets"}},
      {.intent_type = "TICKET_COMMENT",
       .summary = "Comments on a ticket in the agent's name.",
       .fields = {{"ticket_id", "string"}, {"body", "string"}},
       .output = {"comment_id"},
       .missing = kNoTicket,
       .tables = {"ticket_comments"}},
      {.intent_type = "TICKET_STATUS_CHANGE",
       .summary = "Moves a ticket to another status.",
       .fields = {{"ticket_id", "string"},
                  {"status", "enum(OPEN, TRIAGED, IN_PROGRESS, CLOSED)"}},
       .output = {"ticket_id"},
       .missing = kNoTicket,
       .tables = {"tickets"}},
      {.intent_type = "TICKET_SEVERITY_CHANGE",
       .summary = "Gives a ticket another severity.",
       .fields = {{"ticket_id", "string"}, {"severity", kSeverity}},
       .output = {"ticket_id"},
       .missing = kNoTicket,
       .tables = {"tickets"}},
  };
}

}  // namespace sgl::engine
