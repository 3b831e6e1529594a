#include "engine/rpc/admin_service.h"

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/admin_convert.h"
#include "engine/rpc/page_token.h"

namespace sgl::engine {
namespace {

namespace v1 = ::intent::v1;

// One page of a list, from the request's `page_size` and `page_token` to the
// response's `next_page_token`. `filter` is what a token is bound to; `read`
// gets a page and `add` puts a row into the response. A page of these rows,
// 200 at most, never comes near what clients take.
template <typename Row, typename Request, typename Response, typename Read,
          typename Place, typename Add>
absl::Status ListPage(const Request& request, const std::string& filter,
                      Response* response, Read read, Place place, Add add) {
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  PageOf page = {.limit = *size};
  if (!request.page_token().empty()) {
    const absl::StatusOr<storage::PageCursor> after =
        DecodePageToken(request.page_token(), filter);
    if (!after.ok()) return after.status();
    page.after = *after;
  }
  absl::StatusOr<std::vector<Row>> rows = read(page);
  if (!rows.ok()) return rows.status();
  for (const Row& row : *rows) add(row);
  if (static_cast<int>(rows->size()) == *size) {
    response->set_next_page_token(EncodePageToken(place(rows->back()), filter));
  }
  return absl::OkStatus();
}

// Each answers one method.
absl::Status Answer(Switches* switches, const CallScope& scope,
                    const v1::SetKillSwitchRequest& request,
                    v1::SetKillSwitchResponse* response) {
  const absl::StatusOr<SwitchName> name =
      SwitchNameOf(request.level(), request.tenant(), request.agent());
  if (!name.ok()) return name.status();
  const absl::StatusOr<SwitchOutcome> outcome =
      switches->Set(scope, *name, request.engine_enabled(), request.reason());
  if (!outcome.ok()) return outcome.status();
  ToProto(outcome->kill_switch, response->mutable_kill_switch());
  response->set_settlements_ended(outcome->settlements_ended);
  return absl::OkStatus();
}

absl::Status Answer(Switches* switches, const CallScope& scope,
                    const v1::GetKillSwitchRequest& request,
                    v1::GetKillSwitchResponse* response) {
  const absl::StatusOr<SwitchName> name =
      SwitchNameOf(request.level(), request.tenant(), request.agent());
  if (!name.ok()) return name.status();
  const absl::StatusOr<storage::KillSwitch> found = switches->Get(scope, *name);
  if (!found.ok()) return found.status();
  ToProto(*found, response->mutable_kill_switch());
  return absl::OkStatus();
}

absl::Status Answer(Switches* switches, const CallScope& scope,
                    const v1::ListKillSwitchesRequest& request,
                    v1::ListKillSwitchesResponse* response) {
  return ListPage<storage::KillSwitch>(
      request, request.filter().SerializeAsString(), response,
      [&](const PageOf& page) {
        return switches->List(scope, request.filter().only_off(),
                              request.filter().tenant(), page.after,
                              page.limit);
      },
      [](const storage::KillSwitch& row) {
        return storage::PageCursor{row.set_at.value_or(absl::Time()), row.id};
      },
      [&](const storage::KillSwitch& row) {
        ToProto(row, response->add_kill_switches());
      });
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::CreateTenantRequest& request,
                    v1::CreateTenantResponse* response) {
  const absl::StatusOr<storage::DirectoryTenant> made =
      directory->CreateTenant(scope, FromProto(request));
  if (!made.ok()) return made.status();
  ToProto(*made, response->mutable_tenant());
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::ListTenantsRequest& request,
                    v1::ListTenantsResponse* response) {
  return ListPage<storage::DirectoryTenant>(
      request, "", response,
      [&](const PageOf& page) { return directory->ListTenants(scope, page); },
      [](const storage::DirectoryTenant& row) {
        return storage::PageCursor{row.created_at, row.id};
      },
      [&](const storage::DirectoryTenant& row) {
        ToProto(row, response->add_tenants());
      });
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::CreateAgentRequest& request,
                    v1::CreateAgentResponse* response) {
  const absl::StatusOr<storage::DirectoryAgent> made =
      directory->CreateAgent(scope, request.tenant(), FromProto(request));
  if (!made.ok()) return made.status();
  ToProto(*made, response->mutable_agent());
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::UpdateAgentRequest& request,
                    v1::UpdateAgentResponse* response) {
  const absl::StatusOr<storage::AgentChange> change = FromProto(request);
  if (!change.ok()) return change.status();
  const absl::StatusOr<storage::DirectoryAgent> changed =
      directory->UpdateAgent(scope, request.tenant(), *change);
  if (!changed.ok()) return changed.status();
  ToProto(*changed, response->mutable_agent());
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::ListAgentsRequest& request,
                    v1::ListAgentsResponse* response) {
  return ListPage<storage::DirectoryAgent>(
      request, request.tenant(), response,
      [&](const PageOf& page) {
        return directory->ListAgents(scope, request.tenant(), page);
      },
      [](const storage::DirectoryAgent& row) {
        return storage::PageCursor{row.created_at, row.id};
      },
      [&](const storage::DirectoryAgent& row) {
        ToProto(row, response->add_agents());
      });
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::CreateMemberRequest& request,
                    v1::CreateMemberResponse* response) {
  const absl::StatusOr<storage::DirectoryMember> made =
      directory->CreateMember(scope, request.tenant(), FromProto(request));
  if (!made.ok()) return made.status();
  ToProto(*made, response->mutable_member());
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::SetMemberRolesRequest& request,
                    v1::SetMemberRolesResponse* response) {
  const absl::StatusOr<storage::DirectoryMember> changed =
      directory->SetMemberRoles(
          scope, request.tenant(),
          {.user_id = request.member(),
           .role = request.role(),
           .further_roles = {request.further_roles().begin(),
                             request.further_roles().end()}});
  if (!changed.ok()) return changed.status();
  ToProto(*changed, response->mutable_member());
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::RemoveMemberRequest& request,
                    v1::RemoveMemberResponse*) {
  return directory->RemoveMember(scope, request.tenant(), request.member());
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::ListMembersRequest& request,
                    v1::ListMembersResponse* response) {
  return ListPage<storage::DirectoryMember>(
      request, request.tenant(), response,
      [&](const PageOf& page) {
        return directory->ListMembers(scope, request.tenant(), page);
      },
      [](const storage::DirectoryMember& row) {
        return storage::PageCursor{row.created_at, row.user_id};
      },
      [&](const storage::DirectoryMember& row) {
        ToProto(row, response->add_members());
      });
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::CreateTokenRequest& request,
                    v1::CreateTokenResponse* response) {
  const absl::StatusOr<TokenRequest> wanted = FromProto(request);
  if (!wanted.ok()) return wanted.status();
  absl::StatusOr<MadeToken> made =
      directory->CreateToken(scope, request.tenant(), *wanted);
  if (!made.ok()) return made.status();
  ToProto(made->token, response->mutable_api_token());
  response->set_secret(std::move(made->secret));
  return absl::OkStatus();
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::RevokeTokenRequest& request,
                    v1::RevokeTokenResponse*) {
  return directory->RevokeToken(scope, request.tenant(), request.id());
}

absl::Status Answer(Directory* directory, const CallScope& scope,
                    const v1::ListTokensRequest& request,
                    v1::ListTokensResponse* response) {
  storage::TokenFilter filter;
  filter.only_live = request.filter().only_live();
  if (request.filter().kind() != v1::PRINCIPAL_KIND_UNSPECIFIED) {
    const absl::StatusOr<storage::PrincipalKind> kind =
        KindOf("filter.kind", request.filter().kind());
    if (!kind.ok()) return kind.status();
    filter.kind = *kind;
  }
  return ListPage<storage::DirectoryToken>(
      request, request.tenant() + "/" + request.filter().SerializeAsString(),
      response,
      [&](const PageOf& page) {
        return directory->ListTokens(scope, request.tenant(), filter, page);
      },
      [](const storage::DirectoryToken& row) {
        return storage::PageCursor{row.created_at, row.id};
      },
      [&](const storage::DirectoryToken& row) {
        ToProto(row, response->add_api_tokens());
      });
}

}  // namespace

AdminService::AdminService(Calls* calls, storage::Database* db)
    : calls_(calls), switches_(db), directory_(db) {}

grpc::ServerUnaryReactor* AdminService::SetKillSwitch(
    grpc::CallbackServerContext* context,
    const v1::SetKillSwitchRequest* request,
    v1::SetKillSwitchResponse* response) {
  return calls_->Start(context, Method::kSetKillSwitch,
                       [=, this](const CallScope& scope) {
                         return Answer(&switches_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::GetKillSwitch(
    grpc::CallbackServerContext* context,
    const v1::GetKillSwitchRequest* request,
    v1::GetKillSwitchResponse* response) {
  return calls_->Start(context, Method::kGetKillSwitch,
                       [=, this](const CallScope& scope) {
                         return Answer(&switches_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::ListKillSwitches(
    grpc::CallbackServerContext* context,
    const v1::ListKillSwitchesRequest* request,
    v1::ListKillSwitchesResponse* response) {
  return calls_->Start(context, Method::kListKillSwitches,
                       [=, this](const CallScope& scope) {
                         return Answer(&switches_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::CreateTenant(
    grpc::CallbackServerContext* context,
    const v1::CreateTenantRequest* request,
    v1::CreateTenantResponse* response) {
  return calls_->Start(context, Method::kCreateTenant,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::ListTenants(
    grpc::CallbackServerContext* context, const v1::ListTenantsRequest* request,
    v1::ListTenantsResponse* response) {
  return calls_->Start(context, Method::kListTenants,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::CreateAgent(
    grpc::CallbackServerContext* context, const v1::CreateAgentRequest* request,
    v1::CreateAgentResponse* response) {
  return calls_->Start(context, Method::kCreateAgent,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::UpdateAgent(
    grpc::CallbackServerContext* context, const v1::UpdateAgentRequest* request,
    v1::UpdateAgentResponse* response) {
  return calls_->Start(context, Method::kUpdateAgent,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::ListAgents(
    grpc::CallbackServerContext* context, const v1::ListAgentsRequest* request,
    v1::ListAgentsResponse* response) {
  return calls_->Start(context, Method::kListAgents,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::CreateMember(
    grpc::CallbackServerContext* context,
    const v1::CreateMemberRequest* request,
    v1::CreateMemberResponse* response) {
  return calls_->Start(context, Method::kCreateMember,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::SetMemberRoles(
    grpc::CallbackServerContext* context,
    const v1::SetMemberRolesRequest* request,
    v1::SetMemberRolesResponse* response) {
  return calls_->Start(context, Method::kSetMemberRoles,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::RemoveMember(
    grpc::CallbackServerContext* context,
    const v1::RemoveMemberRequest* request,
    v1::RemoveMemberResponse* response) {
  return calls_->Start(context, Method::kRemoveMember,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::ListMembers(
    grpc::CallbackServerContext* context, const v1::ListMembersRequest* request,
    v1::ListMembersResponse* response) {
  return calls_->Start(context, Method::kListMembers,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::CreateToken(
    grpc::CallbackServerContext* context, const v1::CreateTokenRequest* request,
    v1::CreateTokenResponse* response) {
  return calls_->Start(context, Method::kCreateToken,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::RevokeToken(
    grpc::CallbackServerContext* context, const v1::RevokeTokenRequest* request,
    v1::RevokeTokenResponse* response) {
  return calls_->Start(context, Method::kRevokeToken,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AdminService::ListTokens(
    grpc::CallbackServerContext* context, const v1::ListTokensRequest* request,
    v1::ListTokensResponse* response) {
  return calls_->Start(context, Method::kListTokens,
                       [=, this](const CallScope& scope) {
                         return Answer(&directory_, scope, *request, response);
                       });
}

}  // namespace sgl::engine
