// `intentctl delegations …`: let somebody vote in one's stead for a time.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "tools/intentctl/commands.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

struct CreateFlags {
  std::string to;
  std::vector<std::string> roles;
  std::string start;
  std::string until;
  int days = 0;
  std::string reason;
};

absl::Status ParseTime(absl::string_view flag, const std::string& text,
                       google::protobuf::Timestamp* time) {
  absl::Time parsed;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &parsed, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": `", text, "` is no time such as 2026-12-24T18:00:00Z"));
  }
  time->set_seconds(absl::ToUnixSeconds(parsed));
  return absl::OkStatus();
}

absl::Status FillTimes(const CreateFlags& flags,
                       intent::v1::CreateDelegationRequest& request) {
  absl::Status status;
  if (!flags.start.empty()) {
    status = ParseTime("--start", flags.start, request.mutable_start_time());
    if (!status.ok()) return status;
  }
  if (!flags.until.empty()) {
    return ParseTime("--until", flags.until, request.mutable_end_time());
  }
  const int64_t start = request.has_start_time()
                            ? request.start_time().seconds()
                            : absl::ToUnixSeconds(absl::Now());
  constexpr int64_t kSecondsPerDay = 86'400;
  request.mutable_end_time()->set_seconds(start + flags.days * kSecondsPerDay);
  return absl::OkStatus();
}

void Print(const Client& client, const intent::v1::Delegation& delegation) {
  if (client.json) {
    PrintJson(delegation);
  } else {
    PrintDelegationRow(delegation);
  }
}

int Create(const Client& client, const CreateFlags& flags) {
  intent::v1::CreateDelegationRequest request;
  if (absl::StrContains(flags.to, '@')) {
    request.set_to_email(flags.to);
  } else {
    request.set_to_user_id(flags.to);
  }
  for (const std::string& role : flags.roles) request.add_roles(role);
  request.set_reason(flags.reason);
  const absl::Status filled = FillTimes(flags, request);
  if (!filled.ok()) return ReportError("delegate", filled);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("delegate", connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::CreateDelegationResponse response;
  const grpc::Status status =
      connection->decisions->CreateDelegation(&context, request, &response);
  if (!status.ok()) return ReportError("delegate", status);
  Print(client, response.delegation());
  return kExitOk;
}

struct ListFlags {
  std::string user;
  bool in_force = false;
  int limit = 50;
};

int List(const Client& client, const ListFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("list delegations", connection.status());
  }
  intent::v1::ListDelegationsRequest request;
  request.mutable_filter()->set_user_id(flags.user);
  request.mutable_filter()->set_in_force(flags.in_force);
  for (int left = flags.limit; left > 0;) {
    request.set_page_size(std::min(left, 200));
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::ListDelegationsResponse response;
    const grpc::Status status =
        connection->decisions->ListDelegations(&context, request, &response);
    if (!status.ok()) return ReportError("list delegations", status);
    for (const auto& delegation : response.delegations()) {
      Print(client, delegation);
    }
    left -= response.delegations_size();
    if (response.next_page_token().empty()) return kExitOk;
    request.set_page_token(response.next_page_token());
  }
  std::cerr << "there are more; --limit raises how many are shown\n";
  return kExitOk;
}

int Revoke(const Client& client, const std::string& id) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("revoke delegation", connection.status());
  }
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::RevokeDelegationRequest request;
  request.set_id(id);
  intent::v1::RevokeDelegationResponse response;
  const grpc::Status status =
      connection->decisions->RevokeDelegation(&context, request, &response);
  if (!status.ok()) return ReportError("revoke delegation", status);
  Print(client, response.delegation());
  return kExitOk;
}

void AddCreate(CLI::App& delegations, Client& client, Run& run) {
  CLI::App* create = delegations.add_subcommand(
      "create", "let another member vote with your roles for a time");
  create->footer(
      "example:\n  intentctl delegations create --to bob@acme.example --role "
      "compliance --days 14 --reason 'on holiday'");
  auto flags = std::make_shared<CreateFlags>();
  create->add_option("--to", flags->to, "the member's email or user id")
      ->required();
  create->add_option("--role", flags->roles,
                     "a role of yours; repeatable (default: all that you "
                     "hold at the time)");
  create->add_option("--start", flags->start,
                     "from when, such as 2026-12-24T18:00:00Z (default: now)");
  CLI::Option_group* end = create->add_option_group("end");
  end->add_option("--until", flags->until,
                  "until when, such as 2027-01-07T08:00:00Z");
  end->add_option("--days", flags->days, "for how many days")
      ->check(CLI::Range(1, 90));
  end->require_option(1);
  create->add_option("--reason", flags->reason, "why; required")->required();
  create->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, flags] { return Create(client, *flags); };
  });
}

}  // namespace

void AddDelegationsCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* delegations = app.add_subcommand(
      "delegations", "let others vote in your stead for a time");
  delegations->require_subcommand(1);
  delegations->fallthrough();
  AddCreate(*delegations, client, run);

  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list =
      delegations->add_subcommand("list", "list the tenant's, newest first");
  list->footer("example:\n  intentctl delegations list --in-force");
  list->add_option("--user", list_flags->user,
                   "only what this user id gave or got");
  list->add_flag("--in-force", list_flags->in_force, "only what holds now");
  list->add_option("--limit", list_flags->limit, "how many at most")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  list->callback([&client, &run, list_flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, list_flags] { return List(client, *list_flags); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* revoke = delegations->add_subcommand("revoke", "end one now");
  revoke->footer("example:\n  intentctl delegations revoke 0190d3f6-…");
  revoke->add_option("ID", *id, "the delegation's id")->required();
  revoke->callback([&client, &run, id] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, id] { return Revoke(client, *id); };
  });
}

}  // namespace sgl::tools
