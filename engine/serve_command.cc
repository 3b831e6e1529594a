// intentd serve: the engine on a database that is there already.
#include <absl/strings/str_cat.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "engine/audit_key.h"
#include "engine/commands.h"
#include "engine/executors.h"
#include "engine/files.h"
#include "engine/secret_keys.h"

namespace sgl::engine {
namespace {

constexpr char kHelp[] =
    R"(Serves the gRPC interface and decides intents, on a migrated database.

Examples:
  export DATABASE_URL=postgresql://intentd@db:6432/intent
  export DIRECT_URL=postgresql://intent_owner@db:5432/intent
  intentctl db deploy
  intentd serve --policy policies/ --executors executors.textproto
  intentd serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem

TLS files are read again when they change; a renewal needs no restart.

--policy is stored and activated when no policy is active yet; while another
one is active, intentd refuses to start. Without --policy it serves under the
active one. DATABASE_URL may go through PgBouncer and must be a role that row
level security holds; DIRECT_URL is used only to LISTEN.)";

// An agent that acts every 200 us is a loop gone wild. One that does is refused
// when its call's turn comes, before it costs the database a statement.
constexpr double kCallsPerSecondDefault = 5000;

struct Flags {
  std::string database_url;
  std::string direct_url;
  std::vector<std::string> policies;
  std::string executors;
  std::string audit_key;
  std::string secrets_key;
  std::string audit_heads;
  std::string log_level = "info";
  int grace_seconds = kGraceSecondsDefault;
  ServerOptions server = {.calls_per_second = kCallsPerSecondDefault};
};

// Reads a file that a flag named; an unset flag leaves `text` empty.
absl::Status ReadInto(const std::string& path, std::string* text) {
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> read = ReadFile(path);
  if (!read.ok()) return read.status();
  *text = *read;
  return absl::OkStatus();
}

// Nothing where neither the flag nor the environment names any.
absl::StatusOr<std::optional<SecretKeys>> ReadSecretKeys(
    const std::string& path) {
  std::string text;
  const absl::Status read = ReadInto(path, &text);
  if (!read.ok()) return read;
  const char* const environment = std::getenv("INTENT_SECRETS_KEY");
  if (path.empty() && environment != nullptr) text = environment;
  if (path.empty() && text.empty()) return std::nullopt;
  absl::StatusOr<SecretKeys> keys = SecretKeys::FromText(text);
  if (!keys.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", path.empty() ? "INTENT_SECRETS_KEY" : path,
                     "`: ", keys.status().message()));
  }
  return *std::move(keys);
}

absl::Status Serve(Flags flags) {
  InitLog(flags.log_level);
  Engine::Options engine;
  engine.database_url = flags.database_url;
  engine.direct_url = flags.direct_url;
  std::string executors;
  absl::Status read = ReadInto(flags.executors, &executors);
  if (!read.ok()) return read;
  absl::StatusOr<ExecutorRegistry> registry =
      ExecutorRegistry::FromText(flags.executors, executors);
  if (!registry.ok()) return registry.status();
  engine.executors = *std::move(registry);
  absl::StatusOr<std::optional<SecretKeys>> keys =
      ReadSecretKeys(flags.secrets_key);
  if (!keys.ok()) return keys.status();
  engine.secret_keys = *std::move(keys);
  engine.sealer.heads_path = flags.audit_heads;
  if (!flags.audit_key.empty()) {
    std::string pem;
    read = ReadInto(flags.audit_key, &pem);
    if (!read.ok()) return read;
    const absl::StatusOr<AuditKey> key = AuditKey::FromPem(pem);
    if (!key.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", flags.audit_key, "`: ", key.status().message()));
    }
    engine.sealer.key = *key;
  }
  return RunServer(std::move(engine), flags.server, flags.policies,
                   OnOtherPolicy::kRefuse, flags.grace_seconds,
                   [](const std::string&) { return absl::OkStatus(); });
}

}  // namespace

void AddServeCommand(CLI::App* app, Command* command) {
  CLI::App* verb = app->add_subcommand("serve", kHelp);
  auto flags = std::make_shared<Flags>();
  verb->add_option("--database-url", flags->database_url,
                   "where the tables are, pooled")
      ->envname("DATABASE_URL")
      ->required();
  verb->add_option("--direct-url", flags->direct_url,
                   "the same database, direct")
      ->envname("DIRECT_URL")
      ->required();
  verb->add_option("--policy", flags->policies,
                   "rule files, or folders of them; may be repeated");
  verb->add_option("--executors", flags->executors,
                   "what EXECUTED does for each intent type (protobuf text)");
  verb->add_option("--audit-key", flags->audit_key,
                   "PEM file of the Ed25519 key that signs the audit log's "
                   "heads; `intentctl audit keygen` makes one");
  verb->add_option("--secrets-key", flags->secrets_key,
                   "file of the keys that open tokens of integrations, else "
                   "the environment's INTENT_SECRETS_KEY, the keys themselves; "
                   "`intentctl secrets generate-key` makes one");
  verb->add_option("--audit-heads", flags->audit_heads,
                   "file that each head is appended to, one line of JSON: "
                   "keep it away from the database");
  verb->add_option("--listen", flags->server.listen, "host:port")
      ->capture_default_str();
  verb->add_option("--tls-cert", flags->server.tls_certificate, "PEM file");
  verb->add_option("--tls-key", flags->server.tls_key, "PEM file");
  verb->add_option("--tls-client-ca", flags->server.tls_client_ca,
                   "PEM file; calls without a certificate of it are refused");
  verb->add_flag("--insecure-listen-any", flags->server.allow_insecure,
                 "allow other addresses than loopback without TLS");
  verb->add_option("--threads", flags->server.threads,
                   "threads that calls run on")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--rate-limit", flags->server.calls_per_second,
                   "calls a second of one principal, twice as many at once; "
                   "0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  verb->add_option("--grace", flags->grace_seconds,
                   "seconds that calls may take once a signal came")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  verb->add_option("--log-level", flags->log_level,
                   "debug, info, warn or error")
      ->capture_default_str();
  verb->callback(
      [flags, command] { *command = [flags] { return Serve(*flags); }; });
}

}  // namespace sgl::engine
