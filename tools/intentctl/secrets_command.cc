// `intentctl secrets …`: the keys that seal tokens of integrations; and
// `intentctl integrations …`: the tokens. On DIRECT_URL.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/files.h"
#include "engine/integration_tokens.h"
#include "engine/secret_keys.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/integration_secrets.h"
#include "storage/intents.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

using engine::SecretKeys;
using storage::Transaction;

struct Flags {
  std::string url;
  std::string key_file;
  std::string tenant_slug;
  std::string provider;
  // `@FILE`, or `@-` for stdin: never the token itself, which other users of
  // the machine would see.
  std::string token = "@-";
  std::string refresh_token;
  std::string expires;
  bool json = false;
};

storage::Actor ByHand() { return {.external_id = "intentctl"}; }

absl::StatusOr<SecretKeys> ReadKeys(const Flags& flags) {
  std::string text;
  const char* const environment = std::getenv("INTENT_SECRETS_KEY");
  if (!flags.key_file.empty()) {
    const absl::StatusOr<std::string> read = engine::ReadFile(flags.key_file);
    if (!read.ok()) return read.status();
    text = *read;
  } else if (environment != nullptr) {
    text = environment;
  } else {
    return absl::InvalidArgumentError(
        "no key: give --secrets-key FILE or INTENT_SECRETS_KEY");
  }
  absl::StatusOr<SecretKeys> keys = SecretKeys::FromText(text);
  if (keys.ok()) return keys;
  return absl::InvalidArgumentError(absl::StrCat(
      "`", flags.key_file.empty() ? "INTENT_SECRETS_KEY" : flags.key_file,
      "`: ", keys.status().message()));
}

// Reads a token from where the flag says; without the line's end that editors
// and `echo` leave.
absl::StatusOr<std::string> ReadToken(const char* flag,
                                      const std::string& from) {
  if (from.empty() || from[0] != '@') {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " takes @FILE or @- for stdin: on a command line others see it"));
  }
  const absl::StatusOr<std::string> text = ReadArgument(from);
  if (!text.ok()) return text.status();
  return std::string(absl::StripAsciiWhitespace(*text));
}

absl::Status InTenant(const Flags& flags,
                      const std::function<absl::Status(Transaction&)>& body) {
  return InTransaction(flags.url, [&](Transaction& tx) {
    const absl::StatusOr<std::string> tenant =
        storage::FindTenant(tx, flags.tenant_slug);
    return tenant.ok() ? body(tx) : tenant.status();
  });
}

// Says what was done, as a line of JSON where that is wanted.
int Say(const Flags& flags, const nlohmann::ordered_json& json,
        const std::string& text) {
  std::cout << (flags.json ? json.dump() : text) << "\n";
  return kExitOk;
}

int GenerateKey() {
  std::cout << SecretKeys::GenerateLine() << "\n";
  return kExitOk;
}

int SetToken(const Flags& flags) {
  const char* const action = "set token";
  const absl::StatusOr<SecretKeys> keys = ReadKeys(flags);
  if (!keys.ok()) return ReportError(action, keys.status());
  engine::TokenChange change = {.provider = flags.provider, .actor = ByHand()};
  if (flags.token == "@-" && flags.refresh_token == "@-") {
    return ReportError(action, absl::InvalidArgumentError(
                                   "only one of --token and --refresh-token "
                                   "can come from stdin; give @FILE"));
  }
  const absl::StatusOr<std::string> token = ReadToken("--token", flags.token);
  if (!token.ok()) return ReportError(action, token.status());
  change.access_token = *token;
  if (!flags.refresh_token.empty()) {
    const absl::StatusOr<std::string> refresh =
        ReadToken("--refresh-token", flags.refresh_token);
    if (!refresh.ok()) return ReportError(action, refresh.status());
    if (refresh->empty()) {
      return ReportError(
          action, absl::InvalidArgumentError("the refresh token is empty"));
    }
    change.refresh_token = *refresh;
  }
  if (!flags.expires.empty()) {
    absl::Time expires;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, flags.expires, &expires, &error)) {
      return ReportError(action,
                         absl::InvalidArgumentError(absl::StrCat(
                             "`", flags.expires,
                             "` is no time such as 2030-01-31T12:00:00Z")));
    }
    change.expires_at = expires;
  }
  const absl::Status done = InTenant(flags, [&](Transaction& tx) {
    return engine::SetIntegrationToken(tx, *keys, change);
  });
  if (!done.ok()) return ReportError(action, done);
  return Say(flags,
             {{"provider", flags.provider}, {"key_id", keys->current_id()}},
             absl::StrCat("the token of ", flags.provider,
                          " is set, sealed by the key ", keys->current_id()));
}

int RemoveToken(const Flags& flags) {
  const absl::Status done = InTenant(flags, [&](Transaction& tx) {
    return engine::RemoveIntegrationToken(tx, flags.provider, ByHand());
  });
  if (!done.ok()) return ReportError("remove token", done);
  return Say(flags, {{"provider", flags.provider}},
             absl::StrCat("the token of ", flags.provider, " is gone"));
}

using TenantPage = std::vector<storage::DirectoryTenant>;

absl::StatusOr<TenantPage> ReadTenants(
    storage::Database& db, const std::optional<storage::PageCursor>& after) {
  absl::StatusOr<Transaction> tx =
      db.Begin({.tenants = {storage::kSystemTenantId}});
  if (!tx.ok()) return tx.status();
  return storage::ListTenants(*tx, {}, after, storage::kPageRowsMax);
}

// Calls `body` with all tenants' ids, page by page.
absl::Status ForEachTenant(
    storage::Database& db,
    const std::function<absl::Status(const std::string&)>& body) {
  std::optional<storage::PageCursor> after;
  while (true) {
    const absl::StatusOr<TenantPage> page = ReadTenants(db, after);
    if (!page.ok()) return page.status();
    for (const storage::DirectoryTenant& tenant : *page) {
      const absl::Status done = body(tenant.id);
      if (!done.ok()) return done;
    }
    if (page->size() < storage::kPageRowsMax) return absl::OkStatus();
    after = storage::PageCursor{.created_at = page->back().created_at,
                                .id = page->back().id};
  }
}

// Seals what other keys sealed, a batch a transaction: what was done stays done
// where a later one fails.
absl::Status Reseal(storage::Database& db, const SecretKeys& keys,
                    const std::string& tenant_id, int* count) {
  while (true) {
    absl::StatusOr<Transaction> tx = db.Begin({.tenants = {tenant_id}});
    if (!tx.ok()) return tx.status();
    const absl::StatusOr<int> done = engine::ResealIntegrationTokens(*tx, keys);
    if (!done.ok()) return done.status();
    const absl::Status committed = tx->Commit();
    if (!committed.ok()) return committed;
    *count += *done;
    if (*done < storage::kSecretsBatchMax) return absl::OkStatus();
  }
}

int Rotate(const Flags& flags) {
  const absl::StatusOr<SecretKeys> keys = ReadKeys(flags);
  if (!keys.ok()) return ReportError("rotate secrets", keys.status());
  int count = 0;
  const absl::Status done = WithDatabase(flags.url, [&](storage::Database& db) {
    return ForEachTenant(db, [&](const std::string& tenant_id) {
      return Reseal(db, *keys, tenant_id, &count);
    });
  });
  if (!done.ok()) {
    std::cerr << count << " sealed anew before\n";
    return ReportError("rotate secrets", done);
  }
  return Say(flags, {{"count", count}, {"key_id", keys->current_id()}},
             absl::StrCat(count, " sealed anew; all are sealed by the key ",
                          keys->current_id()));
}

CLI::App* AddVerb(CLI::App& noun, const char* name, const char* help,
                  const std::shared_ptr<Flags>& flags) {
  CLI::App* verb = noun.add_subcommand(name, help);
  AddDirectUrl(*verb, flags->url);
  verb->add_flag("--json", flags->json, "print JSON");
  return verb;
}

void AddKeyFile(CLI::App& verb, Flags& flags) {
  verb.add_option("--secrets-key", flags.key_file,
                  "key file, else the environment's INTENT_SECRETS_KEY, the "
                  "keys themselves; the first key seals");
}

void AddSecrets(CLI::App& app, const std::shared_ptr<Flags>& flags, Run& run) {
  CLI::App* noun = app.add_subcommand(
      "secrets", "the keys that seal tokens of integrations");
  noun->require_subcommand(1);
  CLI::App* generate =
      noun->add_subcommand("generate-key", "print a new key, a line");
  generate->footer(
      "example:\n  (umask 077; intentctl secrets generate-key > secrets.key)");
  generate->callback([&run] { run = [] { return GenerateKey(); }; });
  CLI::App* rotate = AddVerb(*noun, "rotate",
                             "seal by the first key what others sealed", flags);
  rotate->footer(
      "Put the new key first into the file, give it to all engines, rotate, "
      "then take out the old key.\n\nexample:\n  intentctl secrets rotate "
      "--secrets-key secrets.key");
  AddKeyFile(*rotate, *flags);
  rotate->callback([&run, flags] { run = [flags] { return Rotate(*flags); }; });
}

void AddIntegrations(CLI::App& app, const std::shared_ptr<Flags>& flags,
                     Run& run) {
  CLI::App* noun = app.add_subcommand(
      "integrations", "tokens of integrations, which no intent carries");
  noun->require_subcommand(1);
  CLI::App* set = AddVerb(*noun, "set-token",
                          "seal and store tokens, read from stdin", flags);
  set->footer(
      "example:\n  intentctl integrations set-token --tenant acme --provider "
      "slack \\\n    --secrets-key secrets.key < token.txt");
  AddKeyFile(*set, *flags);
  set->add_option("--token", flags->token, "@FILE, or @- for stdin")
      ->capture_default_str();
  set->add_option("--refresh-token", flags->refresh_token,
                  "@FILE: kept sealed, and handed to nobody");
  set->add_option("--expires", flags->expires,
                  "when the token ends, such as 2030-01-31T12:00:00Z");
  set->callback([&run, flags] { run = [flags] { return SetToken(*flags); }; });
  CLI::App* remove =
      AddVerb(*noun, "remove-token", "drop the tokens of a provider", flags);
  remove->footer(
      "example:\n  intentctl integrations remove-token --tenant acme "
      "--provider slack");
  remove->callback(
      [&run, flags] { run = [flags] { return RemoveToken(*flags); }; });
  for (CLI::App* verb : {set, remove}) {
    verb->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
        ->required();
    verb->add_option("--provider", flags->provider, "such as slack")
        ->required();
  }
}

}  // namespace

void AddSecretsCommands(CLI::App& app, Run& run) {
  const auto flags = std::make_shared<Flags>();
  AddSecrets(app, flags, run);
  AddIntegrations(app, flags, run);
}

}  // namespace sgl::tools
