// Between AdminService's messages and the engine's structs. Internal to
// engine/rpc.

#ifndef ENGINE_RPC_ADMIN_CONVERT_H_
#define ENGINE_RPC_ADMIN_CONVERT_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

#include "engine/directory.h"
#include "engine/switches.h"
#include "intent/v1/admin_service.pb.h"
#include "storage/directory.h"
#include "storage/switches.h"

namespace sgl::engine {

void ToProto(const storage::KillSwitch& row, intent::v1::KillSwitch* message);
void ToProto(const storage::DirectoryTenant& row, intent::v1::Tenant* message);
void ToProto(const storage::DirectoryAgent& row, intent::v1::Agent* message);
void ToProto(const storage::DirectoryMember& row, intent::v1::Member* message);
void ToProto(const storage::DirectoryToken& row, intent::v1::ApiToken* message);

// INVALID_ARGUMENT: no level, or a number that this build doesn't know.
absl::StatusOr<SwitchName> SwitchNameOf(intent::v1::SwitchLevel level,
                                        const std::string& tenant,
                                        const std::string& agent);

// INVALID_ARGUMENT, naming the field, for no kind or an unknown number.
absl::StatusOr<storage::PrincipalKind> KindOf(absl::string_view field,
                                              intent::v1::PrincipalKind kind);

// Fields that were left empty have their defaults.
storage::NewTenant FromProto(const intent::v1::CreateTenantRequest& request);
storage::NewAgent FromProto(const intent::v1::CreateAgentRequest& request);
storage::NewMember FromProto(const intent::v1::CreateMemberRequest& request);
// INVALID_ARGUMENT: no mask, or one that names something else.
absl::StatusOr<storage::AgentChange> FromProto(
    const intent::v1::UpdateAgentRequest& request);
// INVALID_ARGUMENT: the kind as above, or a lifetime that is no duration.
absl::StatusOr<TokenRequest> FromProto(
    const intent::v1::CreateTokenRequest& request);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_ADMIN_CONVERT_H_
