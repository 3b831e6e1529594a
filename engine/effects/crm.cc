// Effects on contacts, companies and segments.

#include "engine/effects/families.h"

namespace sgl::engine {

std::vector<EffectDecl> CrmEffects() {
  return {
      {.intent_type = "CRM_CONTACT_UPSERT",
       .summary = "Makes the contact with this e-mail, or changes it; what is "
                  "left out stays.",
       .fields = {{"email", "string"},
                  {"first_name", "string?"},
                  {"last_name", "string?"},
                  {"phone", "string?"},
                  {"company", "string?"},
                  {"source", "string?"},
                  {"tags", "list<string>?"},
                  {"notes", "string?"}},
       .output = {"contact_id"},
       .tables = {"crm_contacts"}},
      {.intent_type = "CRM_CONTACT_TAG",
       .summary = "Puts further tags on a contact.",
       .fields = {{"contact_id", "string"}, {"tags", "list<string>"}},
       .output = {"contact_id"},
       .missing = "`contact_id` names no contact of this tenant",
       .tables = {"crm_contacts"}},
      {.intent_type = "CRM_COMPANY_UPSERT",
       .summary = "Makes the company with this domain, or changes it; what is "
                  "left out stays.",
       .fields = {{"name", "string"},
                  {"domain", "string"},
                  {"industry", "string?"},
                  {"phone", "string?"},
                  {"website", "string?"},
                  {"notes", "string?"}},
       .output = {"company_id"},
       .tables = {"crm_companies"}},
      {.intent_type = "CRM_SEGMENT_CREATE",
       .summary = "Names the contacts that fit some filters.",
       .fields = {{"name", "string"},
                  {"description", "string?"},
                  {"filters", "{}"}},
       .output = {"segment_id"},
       .tables = {"crm_segments"}},
      {.intent_type = "CRM_SEGMENT_UPDATE",
       .summary = "Changes a segment; what is left out stays.",
       .fields = {{"segment_id", "string"},
                  {"name", "string?"},
                  {"description", "string?"},
                  {"filters", "{}?"}},
       .output = {"segment_id"},
       .missing = "`segment_id` names no segment of this tenant",
       .needs_change = true,
       .tables = {"crm_segments"}},
  };
}

}  // namespace sgl::engine
