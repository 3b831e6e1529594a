// `intentctl off|on`, `switches`, `tokens list`: what an operator does over
// gRPC. The switches also work on DIRECT_URL, for when no server answers.

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <google/protobuf/util/time_util.h>

#include <iostream>
#include <memory>
#include <vector>

#include "intent/v1/admin_service.grpc.pb.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/switches.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

namespace v1 = ::intent::v1;
using storage::Transaction;

constexpr int kPageMax = 200;

struct SwitchFlags {
  std::string tenant_slug;
  std::string agent;
  std::string reason;
  // On DIRECT_URL instead of over gRPC.
  bool direct = false;
  std::string url;
  // For `switches`.
  bool all = false;
};

v1::SwitchLevel LevelOf(const SwitchFlags& flags) {
  if (!flags.agent.empty()) return v1::SWITCH_LEVEL_AGENT;
  return flags.tenant_slug.empty() ? v1::SWITCH_LEVEL_PLATFORM
                                   : v1::SWITCH_LEVEL_TENANT;
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::ToString(time);
}

// `OFF  tenant acme  since 2026-11-22T20:00:00Z  by operator:…  smoke`.
void PrintSwitch(const v1::KillSwitch& one) {
  std::cout << (one.engine_enabled() ? "on " : "OFF") << "  ";
  switch (one.level()) {
    case v1::SWITCH_LEVEL_TENANT:
      std::cout << "tenant " << one.tenant();
      break;
    case v1::SWITCH_LEVEL_AGENT:
      std::cout << "agent "
                << (one.agent().empty() ? one.agent_id() : one.agent())
                << " of tenant " << one.tenant();
      break;
    default:
      std::cout << "the platform";
      break;
  }
  if (one.has_set_time()) {
    std::cout << "  since " << FormatTime(one.set_time());
  }
  if (!one.set_by().empty()) std::cout << "  by " << one.set_by();
  if (!one.reason().empty()) std::cout << "  " << one.reason();
  std::cout << "\n";
}

void Show(const v1::KillSwitch& one, bool json) {
  if (json) {
    PrintJson(one);
  } else {
    PrintSwitch(one);
  }
}

// What a switch that is off leaves under way is for the operator to know: a
// script must not go on as if all were quiet.
int ReportUnderWay() {
  std::cerr << "error: it is off for all that begins now, but a settlement "
               "that began before is still under way (does an engine hang?); "
               "run the same again to wait for it\n";
  return kExitFailed;
}

v1::KillSwitch MessageOf(const storage::KillSwitch& row) {
  v1::KillSwitch message;
  message.set_level(
      static_cast<v1::SwitchLevel>(static_cast<int>(v1::SWITCH_LEVEL_PLATFORM) +
                                   static_cast<int>(row.level)));
  message.set_tenant_id(row.tenant_id);
  message.set_tenant(row.tenant_slug);
  message.set_agent_id(row.agent_id);
  message.set_agent(row.agent_name);
  message.set_engine_enabled(row.engine_enabled);
  message.set_reason(row.reason);
  message.set_set_by(row.set_by);
  if (row.set_at.has_value()) {
    *message.mutable_set_time() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
            absl::ToUnixMicros(*row.set_at));
  }
  return message;
}

absl::Status RequireUrl(const SwitchFlags& flags) {
  if (!flags.url.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--direct needs --direct-url, or DIRECT_URL");
}

// Finds the tenant and the agent that the flags name.
absl::Status ResolveTarget(Transaction& tx, const SwitchFlags& flags,
                           storage::SwitchTarget& target) {
  if (flags.tenant_slug.empty()) {
    if (flags.agent.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--direct --agent needs --tenant");
  }
  const absl::StatusOr<std::string> tenant =
      storage::FindTenant(tx, flags.tenant_slug);
  if (!tenant.ok()) return tenant.status();
  target.tenant_id = *tenant;
  if (flags.agent.empty()) return absl::OkStatus();
  for (const storage::AgentFilter& filter :
       {storage::AgentFilter{.name = flags.agent},
        storage::AgentFilter{.id = flags.agent}}) {
    const auto found = storage::ListAgents(tx, filter, std::nullopt, 2);
    if (absl::IsNotFound(found.status())) continue;
    if (!found.ok()) return found.status();
    if (found->size() > 1) {
      return absl::FailedPreconditionError(
          "several agents have this name; give the id");
    }
    if (found->empty()) continue;
    target.agent_id = (*found)[0].id;
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("there is no agent `", flags.agent, "`"));
}

int ThrowDirect(const Client& client, const SwitchFlags& flags, bool on) {
  const char* const action = on ? "on" : "off";
  absl::Status done = RequireUrl(flags);
  if (!done.ok()) return ReportError(action, done);
  storage::SwitchTarget target;
  std::vector<storage::KillSwitch> now;
  done = InTransaction(flags.url, [&](Transaction& tx) {
    absl::Status status = ResolveTarget(tx, flags, target);
    if (!status.ok()) return status;
    status = storage::SetKillSwitch(
        tx, target, {.engine_enabled = on, .reason = flags.reason});
    if (!status.ok()) return status;
    auto found = storage::ListKillSwitches(
        tx,
        {.level = static_cast<storage::SwitchLevel>(
             static_cast<int>(LevelOf(flags)) -
             static_cast<int>(v1::SWITCH_LEVEL_PLATFORM)),
         .tenant_id = target.tenant_id,
         .agent_id = target.agent_id},
        std::nullopt, 1);
    if (found.ok()) now = *std::move(found);
    return found.status();
  });
  if (!done.ok()) return ReportError(action, done);
  for (const storage::KillSwitch& one : now) {
    Show(MessageOf(one), client.json);
  }
  if (on) return kExitOk;
  const auto db = storage::Database::Create(
      flags.url, {.connections_max = 1, .application_name = "intentctl"});
  if (!db.ok()) return ReportError(action, db.status());
  return storage::AwaitSettlements(**db).ok() ? kExitOk : ReportUnderWay();
}

int Throw(const Client& client, const SwitchFlags& flags, bool on) {
  if (flags.direct) return ThrowDirect(client, flags, on);
  const char* const action = on ? "on" : "off";
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  v1::SetKillSwitchRequest request;
  request.set_level(LevelOf(flags));
  request.set_tenant(flags.tenant_slug);
  request.set_agent(flags.agent);
  request.set_engine_enabled(on);
  request.set_reason(flags.reason);
  v1::SetKillSwitchResponse response;
  grpc::ClientContext context;
  connection->Prepare(context);
  const grpc::Status status =
      connection->admin->SetKillSwitch(&context, request, &response);
  if (!status.ok()) {
    const int code = ReportError(action, status);
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      std::cerr << "  where no server answers: --direct, on DIRECT_URL\n";
    }
    return code;
  }
  Show(response.kill_switch(), client.json);
  return on || response.settlements_ended() ? kExitOk : ReportUnderWay();
}

int ListDirect(const Client& client, const SwitchFlags& flags) {
  absl::Status done = RequireUrl(flags);
  if (!done.ok()) return ReportError("switches", done);
  done = InTransaction(flags.url, [&](Transaction& tx) -> absl::Status {
    storage::SwitchFilter filter = {.only_off = !flags.all};
    if (!flags.tenant_slug.empty()) {
      const auto tenant = storage::FindTenant(tx, flags.tenant_slug);
      if (!tenant.ok()) return tenant.status();
      filter.tenant_id = *tenant;
    }
    const absl::Status entered = tx.SetTenants({storage::kSystemTenantId});
    if (!entered.ok()) return entered;
    std::optional<storage::PageCursor> after;
    while (true) {
      const auto page = storage::ListKillSwitches(tx, filter, after, kPageMax);
      if (!page.ok()) return page.status();
      for (const storage::KillSwitch& one : *page) {
        Show(MessageOf(one), client.json);
      }
      if (page->size() < kPageMax) return absl::OkStatus();
      after = {page->back().set_at.value_or(absl::Time()), page->back().id};
    }
  });
  return done.ok() ? kExitOk : ReportError("switches", done);
}

int List(const Client& client, const SwitchFlags& flags) {
  if (flags.direct) return ListDirect(client, flags);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("switches", connection.status());
  v1::ListKillSwitchesRequest request;
  request.set_page_size(kPageMax);
  request.mutable_filter()->set_only_off(!flags.all);
  request.mutable_filter()->set_tenant(flags.tenant_slug);
  int shown = 0;
  do {
    v1::ListKillSwitchesResponse response;
    grpc::ClientContext context;
    connection->Prepare(context);
    const grpc::Status status =
        connection->admin->ListKillSwitches(&context, request, &response);
    if (!status.ok()) return ReportError("switches", status);
    for (const auto& one : response.kill_switches()) Show(one, client.json);
    shown += response.kill_switches_size();
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (shown == 0 && !client.json) std::cerr << "nothing is off\n";
  return kExitOk;
}

struct TokenFlags {
  std::string tenant_slug;
  bool all = false;
};

void PrintToken(const v1::ApiToken& token) {
  const bool is_revoked = token.has_revoke_time();
  std::string kind = v1::PrincipalKind_Name(token.kind());
  kind.erase(0, sizeof("PRINCIPAL_KIND_") - 1);
  std::cout << token.id() << "  " << kind << "  " << token.name() << "  "
            << (is_revoked ? "revoked " : "until ")
            << (is_revoked                ? FormatTime(token.revoke_time())
                : token.has_expire_time() ? FormatTime(token.expire_time())
                                          : "revoked by hand")
            << (token.issued_by().empty() ? "" : "  by ") << token.issued_by()
            << "\n";
}

int ListTokens(const Client& client, const TokenFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("list tokens", connection.status());
  v1::ListTokensRequest request;
  request.set_page_size(kPageMax);
  request.set_tenant(flags.tenant_slug);
  request.mutable_filter()->set_only_live(!flags.all);
  do {
    v1::ListTokensResponse response;
    grpc::ClientContext context;
    connection->Prepare(context);
    const grpc::Status status =
        connection->admin->ListTokens(&context, request, &response);
    if (!status.ok()) return ReportError("list tokens", status);
    for (const auto& token : response.api_tokens()) {
      if (client.json) {
        PrintJson(token);
      } else {
        PrintToken(token);
      }
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return kExitOk;
}

// Whose token of a ready file the verb needs.
void UseReadyToken(Client& client, const SwitchFlags& flags) {
  if (!client.principal.empty()) return;
  client.principal =
      LevelOf(flags) == v1::SWITCH_LEVEL_PLATFORM ? "platform" : "operator";
}

void AddTargetFlags(CLI::App& verb, SwitchFlags& flags) {
  verb.add_option("--tenant", flags.tenant_slug, "a tenant's slug");
  verb.add_flag("--direct", flags.direct,
                "on the database itself, when no server answers");
  verb.add_option("--direct-url", flags.url,
                  "for --direct: the database, not through a pooler, as the "
                  "tables' owner (or DIRECT_URL)")
      ->envname("DIRECT_URL");
}

void AddThrow(CLI::App& app, Client& client, Run& run, bool on) {
  auto flags = std::make_shared<SwitchFlags>();
  CLI::App* verb = app.add_subcommand(
      on ? "on" : "off",
      on ? "switch the engine on again"
         : "switch the engine off: for all, a tenant or an agent");
  verb->footer(on ? "example:\n  intentctl on --tenant acme --reason 'mended'"
                  : "examples:\n"
                    "  intentctl off --tenant acme --agent Atlas "
                    "--reason 'buys lamps'\n"
                    "  intentctl off --reason 'smoke in the rack' --direct");
  AddTargetFlags(*verb, *flags);
  verb->add_option("--agent", flags->agent,
                   "an agent's name or id (without --tenant: one of the "
                   "token's tenant)");
  verb->add_option("--reason", flags->reason, "why; for the record")
      ->required();
  verb->callback([&client, &run, flags, on] {
    UseReadyToken(client, *flags);
    run = [&client, flags, on] { return Throw(client, *flags, on); };
  });
}

}  // namespace

void AddAdminCommands(CLI::App& app, Client& client, Run& run) {
  AddThrow(app, client, run, false);
  AddThrow(app, client, run, true);
  auto flags = std::make_shared<SwitchFlags>();
  CLI::App* list = app.add_subcommand("switches", "show what is off, and why");
  list->footer("example:\n  intentctl switches");
  AddTargetFlags(*list, *flags);
  list->add_flag("--all", flags->all, "also those that are on again");
  list->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "operator";
    run = [&client, flags] { return List(client, *flags); };
  });

  auto token_flags = std::make_shared<TokenFlags>();
  CLI::App* tokens = app.get_subcommand("tokens")->add_subcommand(
      "list", "show the tokens of a tenant, without their secrets");
  tokens->footer("example:\n  intentctl tokens list");
  tokens->add_option("--tenant", token_flags->tenant_slug,
                     "a tenant's slug (default: the token's own)");
  tokens->add_flag("--all", token_flags->all, "also expired and revoked ones");
  tokens->callback([&client, &run, token_flags] {
    if (client.principal.empty()) client.principal = "operator";
    run = [&client, token_flags] { return ListTokens(client, *token_flags); };
  });
}

}  // namespace sgl::tools
