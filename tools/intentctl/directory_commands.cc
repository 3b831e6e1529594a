// `intentctl tenants|agents|members|tokens create`: who there is. All on
// DIRECT_URL: they bootstrap a database before any token exists.

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/api_token.h"
#include "engine/directory.h"
#include "storage/identity.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

using storage::PrincipalKind;
using storage::Transaction;

const std::vector<std::string> kSeats = {"free_beta", "starter", "pro",
                                         "enterprise"};

// Prints what was made: one line of words, or of JSON.
void PrintMade(bool json, absl::string_view what, const std::string& id,
               const std::string& secret = "") {
  if (json) {
    nlohmann::json line = {{"id", id}};
    if (!secret.empty()) line["token"] = secret;
    std::cout << line.dump() << "\n";
    return;
  }
  std::cout << what << " " << id << "\n";
  if (!secret.empty()) {
    std::cout << "token " << secret << "\nIt is shown this once: keep it.\n";
  }
}

struct TenantFlags {
  std::string url;
  storage::NewTenant tenant;
  bool json = false;
};

int CreateTenant(const TenantFlags& flags) {
  std::string id;
  const absl::Status done = InTransaction(flags.url, [&](Transaction& tx) {
    absl::StatusOr<std::string> made = storage::CreateTenant(tx, flags.tenant);
    if (made.ok()) id = *made;
    return made.status();
  });
  if (!done.ok()) return ReportError("create tenant", done);
  PrintMade(flags.json, "tenant", id);
  return kExitOk;
}

struct AgentFlags {
  std::string url;
  std::string tenant_slug;
  std::string owner_email;
  storage::NewAgent agent;
  bool json = false;
};

// Finds the tenant, and a member where an email is given.
absl::Status Resolve(Transaction& tx, const std::string& slug,
                     const std::string& email, std::string& tenant_id,
                     std::string& user_id) {
  absl::StatusOr<std::string> tenant = storage::FindTenant(tx, slug);
  if (!tenant.ok()) return tenant.status();
  tenant_id = *tenant;
  if (email.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> user = storage::FindMember(tx, tenant_id, email);
  if (!user.ok()) return user.status();
  user_id = *user;
  return absl::OkStatus();
}

int CreateAgent(const AgentFlags& flags) {
  std::string id;
  const absl::Status done = InTransaction(flags.url, [&](Transaction& tx) {
    storage::NewAgent agent = flags.agent;
    absl::Status found = Resolve(tx, flags.tenant_slug, flags.owner_email,
                                 agent.tenant_id, agent.owner_user_id);
    if (!found.ok()) return found;
    absl::StatusOr<std::string> made = storage::CreateAgent(tx, agent);
    if (made.ok()) id = *made;
    return made.status();
  });
  if (!done.ok()) return ReportError("create agent", done);
  PrintMade(flags.json, "agent", id);
  return kExitOk;
}

struct MemberFlags {
  std::string url;
  std::string tenant_slug;
  storage::NewMember member;
  bool json = false;
};

int CreateMember(const MemberFlags& flags) {
  std::string id;
  const absl::Status done = InTransaction(flags.url, [&](Transaction& tx) {
    storage::NewMember member = flags.member;
    std::string no_user;
    absl::Status found =
        Resolve(tx, flags.tenant_slug, "", member.tenant_id, no_user);
    if (!found.ok()) return found;
    absl::StatusOr<std::string> made = storage::CreateMember(tx, member);
    if (made.ok()) id = *made;
    return made.status();
  });
  if (!done.ok()) return ReportError("create member", done);
  PrintMade(flags.json, "member", id);
  return kExitOk;
}

struct TokenFlags {
  std::string url;
  std::string tenant_slug;
  std::string agent;
  std::string user;
  std::string worker;
  std::string operator_name;
  std::string issued_by;
  std::string name;
  int days = 90;
  bool json = false;
};

// Fills kind, principal and name from whichever of the four was given.
absl::Status FillPrincipal(Transaction& tx, const TokenFlags& flags,
                           storage::NewToken& token) {
  absl::StatusOr<std::string> found = std::string();
  if (!flags.agent.empty()) {
    token.kind = PrincipalKind::kAgent;
    token.name = flags.agent;
    found = storage::FindAgent(tx, token.tenant_id, flags.agent);
  } else if (!flags.user.empty()) {
    token.kind = PrincipalKind::kUser;
    token.name = flags.user;
    found = storage::FindMember(tx, token.tenant_id, flags.user);
  } else if (!flags.worker.empty()) {
    token.kind = PrincipalKind::kWorker;
    token.name = flags.worker;
  } else {
    token.kind = PrincipalKind::kOperator;
    token.name = flags.operator_name;
  }
  if (!found.ok()) return found.status();
  token.principal_id = *found;
  if (!flags.name.empty()) token.name = flags.name;
  return absl::OkStatus();
}

int CreateToken(const TokenFlags& flags) {
  const std::string secret = engine::NewApiToken();
  std::string id;
  const absl::Status done = InTransaction(flags.url, [&](Transaction& tx) {
    storage::NewToken token;
    absl::Status found = Resolve(tx, flags.tenant_slug, flags.issued_by,
                                 token.tenant_id, token.issued_by);
    if (!found.ok()) return found;
    found = FillPrincipal(tx, flags, token);
    if (!found.ok()) return found;
    token.token_sha256 = engine::HashApiToken(secret);
    token.lifetime = absl::Hours(24) * flags.days;
    absl::StatusOr<std::string> made = storage::CreateToken(tx, token);
    if (made.ok()) id = *made;
    return made.status();
  });
  if (!done.ok()) return ReportError("create token", done);
  PrintMade(flags.json, "token id", id, secret);
  return kExitOk;
}

struct RevokeFlags {
  std::string url;
  std::string tenant_slug;
  std::string token_id;
};

int RevokeToken(const RevokeFlags& flags) {
  const absl::Status done = InTransaction(flags.url, [&](Transaction& tx) {
    absl::StatusOr<std::string> tenant =
        storage::FindTenant(tx, flags.tenant_slug);
    if (!tenant.ok()) return tenant.status();
    return storage::RevokeToken(tx, *tenant, flags.token_id);
  });
  if (!done.ok()) return ReportError("revoke token", done);
  std::cout << "token id " << flags.token_id
            << " is revoked; servers refuse it within a second\n";
  return kExitOk;
}

void AddRevoke(CLI::App& tokens, Run& run) {
  CLI::App* revoke = tokens.add_subcommand("revoke", "end a token now");
  revoke->footer("example:\n  intentctl tokens revoke --tenant acme TOKEN_ID");
  auto flags = std::make_shared<RevokeFlags>();
  AddDirectUrl(*revoke, flags->url);
  revoke->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  revoke->add_option("ID", flags->token_id, "the id that `create` printed")
      ->required();
  revoke->callback(
      [&run, flags] { run = [flags] { return RevokeToken(*flags); }; });
}

void AddTenants(CLI::App& app, Run& run) {
  CLI::App* noun = app.add_subcommand("tenants", "create and list tenants");
  noun->require_subcommand(1);
  CLI::App* create = noun->add_subcommand("create", "create a tenant");
  create->footer(
      "example:\n  intentctl tenants create --slug acme --name 'Acme Inc.'");
  auto flags = std::make_shared<TenantFlags>();
  AddDirectUrl(*create, flags->url);
  create->add_option("--slug", flags->tenant.slug, "its short name; unique")
      ->required();
  create->add_option("--name", flags->tenant.name, "its full name")->required();
  create->add_option("--seat", flags->tenant.seat, "what rules see as its seat")
      ->check(CLI::IsMember(kSeats))
      ->capture_default_str();
  create->add_flag("--json", flags->json, "print JSON");
  create->callback(
      [&run, flags] { run = [flags] { return CreateTenant(*flags); }; });
}

void AddAgents(CLI::App& app, Run& run) {
  CLI::App* noun = app.add_subcommand("agents", "create and list agents");
  noun->require_subcommand(1);
  CLI::App* create = noun->add_subcommand("create", "register an agent");
  create->footer(
      "example:\n  intentctl agents create --tenant acme --name Atlas "
      "--role executor --owner ann@acme.example");
  auto flags = std::make_shared<AgentFlags>();
  AddDirectUrl(*create, flags->url);
  create->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  create->add_option("--name", flags->agent.name, "what rules see as its name")
      ->required();
  create->add_option("--role", flags->agent.role, "what rules see as its role");
  create->add_option("--tier", flags->agent.tier, "what rules see as its tier")
      ->capture_default_str();
  create->add_option("--label", flags->agent.labels, "a label; repeatable");
  create->add_option("--owner", flags->owner_email,
                     "email of the member that owns it and so cannot approve "
                     "what it asks for");
  create->add_flag("--json", flags->json, "print JSON");
  create->callback(
      [&run, flags] { run = [flags] { return CreateAgent(*flags); }; });
}

void AddMembers(CLI::App& app, Run& run) {
  CLI::App* noun = app.add_subcommand("members", "create and list members");
  noun->require_subcommand(1);
  CLI::App* create = noun->add_subcommand("create", "add a person to a tenant");
  create->footer(
      "example:\n  intentctl members create --tenant acme --email "
      "ann@acme.example --name Ann --role compliance");
  auto flags = std::make_shared<MemberFlags>();
  AddDirectUrl(*create, flags->url);
  create->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  create->add_option("--email", flags->member.email, "unique")->required();
  create->add_option("--name", flags->member.name, "the person's name");
  create->add_option("--role", flags->member.role, "the role that demands name")
      ->required();
  create->add_option("--further-role", flags->member.further_roles,
                     "one more role; repeatable");
  create->add_option("--seat", flags->member.seat, "the seat")
      ->check(CLI::IsMember(kSeats))
      ->capture_default_str();
  create->add_flag("--json", flags->json, "print JSON");
  create->callback(
      [&run, flags] { run = [flags] { return CreateMember(*flags); }; });
}

void AddTokens(CLI::App& app, Run& run) {
  CLI::App* noun =
      app.add_subcommand("tokens", "create, list and end API tokens");
  noun->require_subcommand(1);
  AddRevoke(*noun, run);
  CLI::App* create = noun->add_subcommand(
      "create", "create an API token and show it, this once");
  create->footer(
      "example:\n  intentctl tokens create --tenant acme --agent Atlas");
  auto flags = std::make_shared<TokenFlags>();
  AddDirectUrl(*create, flags->url);
  create->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  CLI::Option_group* who = create->add_option_group("principal");
  who->add_option("--agent", flags->agent, "an agent's name");
  who->add_option("--user", flags->user, "a member's email");
  who->add_option("--worker", flags->worker, "a name for a worker");
  who->add_option("--operator", flags->operator_name, "a name for an operator");
  who->require_option(1);
  create->add_option("--issued-by", flags->issued_by,
                     "email of the member who issues it and so cannot approve "
                     "what its agent asks for");
  create->add_option("--name", flags->name, "what lists show it as");
  // As over gRPC.
  const auto days_max =
      static_cast<int>(absl::ToInt64Hours(engine::kTokenLifetimeMax) / 24);
  create->add_option("--days", flags->days, "how long it is good for")
      ->check(CLI::Range(1, days_max))
      ->capture_default_str();
  create->add_flag("--json", flags->json, "print JSON");
  create->callback(
      [&run, flags] { run = [flags] { return CreateToken(*flags); }; });
}

}  // namespace

void AddDirectoryCommands(CLI::App& app, Run& run) {
  AddTenants(app, run);
  AddAgents(app, run);
  AddMembers(app, run);
  AddTokens(app, run);
}

}  // namespace sgl::tools
