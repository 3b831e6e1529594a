#include "policy/eval/given.h"

#include <absl/time/time.h>

namespace sgl {

Request GivenRequest::View() const {
  Request request;
  request.intent.id = id;
  request.intent.type = type;
  request.intent.requested_by = requested_by;
  request.intent.payload = payload;
  request.intent.spend_micros_usd = spend_micros_usd;
  request.intent.data_class = data_class;
  request.intent.created_at = absl::FromUnixMicros(created_at);
  request.agent.known = agent_known;
  request.agent.id = agent_id;
  request.agent.name = agent_name;
  request.agent.role = agent_role;
  request.agent.status = agent_status;
  request.agent.tier = agent_tier;
  request.agent.labels.assign(agent_labels.begin(), agent_labels.end());
  request.tenant.id = tenant_id;
  request.tenant.slug = tenant_slug;
  request.tenant.seat = tenant_seat;
  request.tenant.connected.assign(tenant_connected.begin(),
                                  tenant_connected.end());
  request.budget = budget;
  request.now = absl::FromUnixMicros(now);
  request.violations = violations;
  return request;
}

}  // namespace sgl
