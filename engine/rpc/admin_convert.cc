#include "engine/rpc/admin_convert.h"

#include <cstdint>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"

namespace sgl::engine {
namespace {

namespace v1 = ::intent::v1;
using google::protobuf::RepeatedPtrField;

// A duration in a request beyond this is no duration; what is allowed is far
// less.
constexpr int64_t kSecondsMax = int64_t{1} << 40;

std::vector<std::string> ToVector(const RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::string OrDefault(const std::string& text, const char* fallback) {
  return text.empty() ? fallback : text;
}

}  // namespace

void ToProto(const storage::KillSwitch& row, v1::KillSwitch* message) {
  switch (row.level) {
    case storage::SwitchLevel::kPlatform:
      message->set_level(v1::SWITCH_LEVEL_PLATFORM);
      break;
    case storage::SwitchLevel::kTenant:
      message->set_level(v1::SWITCH_LEVEL_TENANT);
      break;
    case storage::SwitchLevel::kAgent:
      message->set_level(v1::SWITCH_LEVEL_AGENT);
      break;
  }
  message->set_tenant_id(row.tenant_id);
  message->set_tenant(row.tenant_slug);
  message->set_agent_id(row.agent_id);
  message->set_agent(row.agent_name);
  message->set_engine_enabled(row.engine_enabled);
  message->set_reason(row.reason);
  message->set_set_by(row.set_by);
  if (row.set_at.has_value()) {
    *message->mutable_set_time() = ToProtoTime(*row.set_at);
  }
}

void ToProto(const storage::DirectoryTenant& row, v1::Tenant* message) {
  message->set_id(row.id);
  message->set_slug(row.slug);
  message->set_name(row.name);
  message->set_seat(row.seat);
  *message->mutable_create_time() = ToProtoTime(row.created_at);
}

void ToProto(const storage::DirectoryAgent& row, v1::Agent* message) {
  message->set_id(row.id);
  message->set_tenant_id(row.tenant_id);
  message->set_name(row.name);
  message->set_role(row.role);
  message->set_status(row.status);
  message->set_tier(row.tier);
  for (const std::string& label : row.labels) message->add_labels(label);
  message->set_owner_user_id(row.owner_user_id);
  *message->mutable_create_time() = ToProtoTime(row.created_at);
}

void ToProto(const storage::DirectoryMember& row, v1::Member* message) {
  message->set_user_id(row.user_id);
  message->set_tenant_id(row.tenant_id);
  message->set_email(row.email);
  message->set_name(row.name);
  message->set_role(row.role);
  for (const std::string& role : row.further_roles) {
    message->add_further_roles(role);
  }
  message->set_seat(row.seat);
  *message->mutable_create_time() = ToProtoTime(row.created_at);
}

void ToProto(const storage::DirectoryToken& row, v1::ApiToken* message) {
  message->set_id(row.id);
  message->set_tenant_id(row.tenant_id);
  switch (row.kind) {
    case storage::PrincipalKind::kAgent:
      message->set_kind(v1::PRINCIPAL_KIND_AGENT);
      break;
    case storage::PrincipalKind::kUser:
      message->set_kind(v1::PRINCIPAL_KIND_USER);
      break;
    case storage::PrincipalKind::kWorker:
      message->set_kind(v1::PRINCIPAL_KIND_WORKER);
      break;
    case storage::PrincipalKind::kOperator:
      message->set_kind(v1::PRINCIPAL_KIND_OPERATOR);
      break;
  }
  message->set_agent_id(row.agent_id);
  message->set_user_id(row.user_id);
  message->set_name(row.name);
  message->set_issued_by(row.issued_by);
  *message->mutable_create_time() = ToProtoTime(row.created_at);
  if (row.expires_at.has_value()) {
    *message->mutable_expire_time() = ToProtoTime(*row.expires_at);
  }
  if (row.revoked_at.has_value()) {
    *message->mutable_revoke_time() = ToProtoTime(*row.revoked_at);
  }
}

absl::StatusOr<SwitchName> SwitchNameOf(v1::SwitchLevel level,
                                        const std::string& tenant,
                                        const std::string& agent) {
  SwitchName name = {.tenant = tenant, .agent = agent};
  switch (level) {
    case v1::SWITCH_LEVEL_PLATFORM:
      name.level = storage::SwitchLevel::kPlatform;
      return name;
    case v1::SWITCH_LEVEL_TENANT:
      name.level = storage::SwitchLevel::kTenant;
      return name;
    case v1::SWITCH_LEVEL_AGENT:
      name.level = storage::SwitchLevel::kAgent;
      return name;
    default:
      return BadField("level", "say whose: platform, tenant or agent");
  }
}

absl::StatusOr<storage::PrincipalKind> KindOf(absl::string_view field,
                                              v1::PrincipalKind kind) {
  switch (kind) {
    case v1::PRINCIPAL_KIND_AGENT:
      return storage::PrincipalKind::kAgent;
    case v1::PRINCIPAL_KIND_USER:
      return storage::PrincipalKind::kUser;
    case v1::PRINCIPAL_KIND_WORKER:
      return storage::PrincipalKind::kWorker;
    case v1::PRINCIPAL_KIND_OPERATOR:
      return storage::PrincipalKind::kOperator;
    default:
      return BadField(field, "use agent, user, worker or operator");
  }
}

storage::NewTenant FromProto(const v1::CreateTenantRequest& request) {
  return {.slug = request.slug(),
          .name = request.name(),
          .seat = OrDefault(request.seat(), "free_beta")};
}

storage::NewAgent FromProto(const v1::CreateAgentRequest& request) {
  return {.name = request.name(),
          .role = request.role(),
          .status = OrDefault(request.status(), "active"),
          .tier = request.tier(),
          .labels = ToVector(request.labels()),
          .owner_user_id = request.owner()};
}

absl::StatusOr<storage::AgentChange> FromProto(
    const v1::UpdateAgentRequest& request) {
  storage::AgentChange change;
  change.agent_id = request.agent();
  if (request.update_mask().paths().empty()) {
    return BadField("update_mask", "say which fields to set");
  }
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "role") {
      change.role = request.role();
    } else if (path == "status") {
      change.status = request.status();
    } else if (path == "tier") {
      change.tier = request.tier();
    } else if (path == "labels") {
      change.labels = ToVector(request.labels());
    } else if (path == "owner") {
      change.owner_user_id = request.owner();
    } else {
      return BadField("update_mask",
                      "it takes role, status, tier, labels and owner");
    }
  }
  return change;
}

storage::NewMember FromProto(const v1::CreateMemberRequest& request) {
  return {.email = request.email(),
          .name = request.name(),
          .role = OrDefault(request.role(), "member"),
          .further_roles = ToVector(request.further_roles()),
          .seat = OrDefault(request.seat(), "free_beta")};
}

absl::StatusOr<TokenRequest> FromProto(const v1::CreateTokenRequest& request) {
  const absl::StatusOr<storage::PrincipalKind> kind =
      KindOf("kind", request.kind());
  if (!kind.ok()) return kind.status();
  TokenRequest wanted = {
      .kind = *kind, .principal = request.principal(), .name = request.name()};
  if (request.has_lifetime()) {
    const auto& lifetime = request.lifetime();
    if (lifetime.seconds() < 0 || lifetime.seconds() > kSecondsMax ||
        lifetime.nanos() < 0 || lifetime.nanos() > 999'999'999) {
      return BadField("lifetime", "it must be a minute to 365 days");
    }
    wanted.lifetime =
        absl::Seconds(lifetime.seconds()) + absl::Nanoseconds(lifetime.nanos());
  }
  return wanted;
}

}  // namespace sgl::engine
