#include "engine/dev_tenant.h"

#include <absl/strings/str_cat.h>

#include <nlohmann/json.hpp>

#include "engine/api_token.h"
#include "engine/files.h"
#include "storage/identity.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
using storage::PrincipalKind;

constexpr int kOwnerOnly = 0600;

// Reads the tokens; false where one of them is missing. The platform's, which
// older files lack, may be.
bool Parse(const std::string& text, DevTokens* tokens) {
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return false;
  const auto read = [&](const char* name, std::string* token) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return false;
    *token = found->get<std::string>();
    return !token->empty();
  };
  static_cast<void>(read("platform", &tokens->platform));
  return read("agent", &tokens->agent) && read("approver", &tokens->approver) &&
         read("approver2", &tokens->approver2) &&
         read("worker", &tokens->worker) &&
         read("operator", &tokens->operator_);
}

// A token to be there: its kind, whose it is, what it is called.
absl::Status EnsureToken(storage::Transaction& tx, const std::string& tenant,
                         PrincipalKind kind, const std::string& principal,
                         const std::string& name, const std::string& token) {
  return storage::EnsureToken(tx, {.tenant_id = tenant,
                                   .kind = kind,
                                   .principal_id = principal,
                                   .name = name,
                                   .token_sha256 = HashApiToken(token)})
      .status();
}

absl::StatusOr<std::string> EnsureApprover(
    storage::Transaction& tx, const std::string& tenant,
    const std::string& name, const std::string& role,
    std::vector<std::string> further_roles) {
  return storage::EnsureMember(tx,
                               {.tenant_id = tenant,
                                .email = absl::StrCat(name, "@demo.example"),
                                .name = name,
                                .role = role,
                                .further_roles = std::move(further_roles)});
}

}  // namespace

absl::StatusOr<DevTokens> LoadDevTokens(const std::string& path) {
  DevTokens tokens;
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok() && text.status().code() != absl::StatusCode::kNotFound) {
    return text.status();
  }
  if (!text.ok() || !Parse(*text, &tokens)) {
    tokens = {.agent = NewApiToken(),
              .approver = NewApiToken(),
              .approver2 = NewApiToken(),
              .worker = NewApiToken(),
              .operator_ = NewApiToken(),
              .platform = {}};
  }
  if (!tokens.platform.empty()) return tokens;
  tokens.platform = NewApiToken();
  const absl::Status written =
      WriteFileWhole(path, DevTokensJson(tokens), kOwnerOnly);
  if (!written.ok()) return written;
  return tokens;
}

std::string DevTokensJson(const DevTokens& tokens) {
  return ordered_json({{"agent", tokens.agent},
                       {"approver", tokens.approver},
                       {"approver2", tokens.approver2},
                       {"worker", tokens.worker},
                       {"operator", tokens.operator_},
                       {"platform", tokens.platform}})
      .dump();
}

absl::Status EnsureDevTenant(storage::Database& db, const DevTokens& tokens) {
  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> tenant =
      storage::EnsureTenant(*tx, {.slug = "demo", .name = "Demo"});
  if (!tenant.ok()) return tenant.status();
  const absl::StatusOr<std::string> agent = storage::EnsureAgent(
      *tx, {.tenant_id = *tenant, .name = "Atlas", .role = "executor"});
  if (!agent.ok()) return agent.status();
  const absl::StatusOr<std::string> approver =
      EnsureApprover(*tx, *tenant, "approver", "compliance", {"privacy"});
  if (!approver.ok()) return approver.status();
  const absl::StatusOr<std::string> approver2 =
      EnsureApprover(*tx, *tenant, "approver2", "owner", {});
  if (!approver2.ok()) return approver2.status();
  struct Wanted {
    PrincipalKind kind;
    const std::string& principal;
    const char* name;
    const std::string& token;
  };
  const std::string nobody;
  for (const Wanted& wanted :
       {Wanted{PrincipalKind::kAgent, *agent, "dev agent", tokens.agent},
        Wanted{PrincipalKind::kUser, *approver, "dev approver",
               tokens.approver},
        Wanted{PrincipalKind::kUser, *approver2, "dev approver2",
               tokens.approver2},
        Wanted{PrincipalKind::kWorker, nobody, "dev worker", tokens.worker},
        Wanted{PrincipalKind::kOperator, nobody, "dev operator",
               tokens.operator_}}) {
    const absl::Status ensured = EnsureToken(
        *tx, *tenant, wanted.kind, wanted.principal, wanted.name, wanted.token);
    if (!ensured.ok()) return ensured;
  }
  const absl::Status ensured =
      EnsureToken(*tx, storage::kSystemTenantId, PrincipalKind::kOperator,
                  nobody, "dev platform operator", tokens.platform);
  if (!ensured.ok()) return ensured;
  return tx->Commit();
}

}  // namespace sgl::engine
