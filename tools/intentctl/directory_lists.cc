#include "tools/intentctl/directory_lists.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "intent/v1/admin_service.grpc.pb.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

namespace v1 = ::intent::v1;

constexpr int kPageMax = 200;

struct ListFlags {
  std::string tenant_slug;
};

template <typename Request, typename Response>
using Method = grpc::Status (v1::AdminService::Stub::*)(grpc::ClientContext*,
                                                        const Request&,
                                                        Response*);

// A row, of words that nobody can make drive a terminal.
void PrintRow(const std::vector<std::string>& words) {
  std::cout << Printable(absl::StrJoin(words, "  ")) << "\n";
}

// Asks for page after page; prints each item as JSON, or as its row.
template <typename Request, typename Response, typename Items, typename Row>
int ListAll(const Client& client, const char* action, Request request,
            Method<Request, Response> method, Items items, Row row) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  request.set_page_size(kPageMax);
  do {
    Response response;
    grpc::ClientContext context;
    connection->Prepare(context);
    const grpc::Status status =
        (connection->admin.get()->*method)(&context, request, &response);
    if (!status.ok()) return ReportError(action, status);
    for (const auto& item : items(response)) {
      if (client.json) {
        PrintJson(item);
      } else {
        PrintRow(row(item));
      }
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return kExitOk;
}

int ListTenants(const Client& client) {
  return ListAll<v1::ListTenantsRequest, v1::ListTenantsResponse>(
      client, "list tenants", {}, &v1::AdminService::Stub::ListTenants,
      [](const auto& response) { return response.tenants(); },
      [](const v1::Tenant& tenant) -> std::vector<std::string> {
        return {tenant.id(), tenant.slug(), tenant.seat(), tenant.name()};
      });
}

int ListAgents(const Client& client, const ListFlags& flags) {
  v1::ListAgentsRequest request;
  request.set_tenant(flags.tenant_slug);
  return ListAll<v1::ListAgentsRequest, v1::ListAgentsResponse>(
      client, "list agents", request, &v1::AdminService::Stub::ListAgents,
      [](const auto& response) { return response.agents(); },
      [](const v1::Agent& agent) {
        std::vector<std::string> words{agent.id(), agent.name(), agent.role(),
                                       agent.status(),
                                       absl::StrCat("tier ", agent.tier())};
        words.insert(words.end(), agent.labels().begin(), agent.labels().end());
        return words;
      });
}

int ListMembers(const Client& client, const ListFlags& flags) {
  v1::ListMembersRequest request;
  request.set_tenant(flags.tenant_slug);
  return ListAll<v1::ListMembersRequest, v1::ListMembersResponse>(
      client, "list members", request, &v1::AdminService::Stub::ListMembers,
      [](const auto& response) { return response.members(); },
      [](const v1::Member& member) {
        std::vector<std::string> words{member.user_id(), member.email(),
                                       member.role()};
        words.insert(words.end(), member.further_roles().begin(),
                     member.further_roles().end());
        return words;
      });
}

// Adds `list` to a noun that AddDirectoryCommands made.
CLI::App* AddList(CLI::App& app, const char* noun, const char* help,
                  const std::shared_ptr<ListFlags>& flags) {
  CLI::App* list = app.get_subcommand(noun)->add_subcommand("list", help);
  list->footer(absl::StrCat("example:\n  intentctl ", noun, " list"));
  if (flags == nullptr) return list;
  list->add_option("--tenant", flags->tenant_slug,
                   "a tenant's slug (default: the token's own)");
  return list;
}

// Whose token of a ready file the verb takes by default.
void UseOperator(Client& client, const char* principal) {
  if (client.principal.empty()) client.principal = principal;
}

}  // namespace

void AddDirectoryLists(CLI::App& app, Client& client, Run& run) {
  AddList(app, "tenants", "show all tenants; for platform operators", nullptr)
      ->callback([&client, &run] {
        UseOperator(client, "platform");
        run = [&client] { return ListTenants(client); };
      });
  auto agents = std::make_shared<ListFlags>();
  AddList(app, "agents", "show the agents of a tenant", agents)
      ->callback([&client, &run, agents] {
        UseOperator(client, "operator");
        run = [&client, agents] { return ListAgents(client, *agents); };
      });
  auto members = std::make_shared<ListFlags>();
  AddList(app, "members", "show the members of a tenant and their roles",
          members)
      ->callback([&client, &run, members] {
        UseOperator(client, "operator");
        run = [&client, members] { return ListMembers(client, *members); };
      });
}

}  // namespace sgl::tools
