// intentd dev: the engine with a PostgreSQL of its own, ready to be called.
#include <absl/strings/str_cat.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "engine/audit_key.h"
#include "engine/commands.h"
#include "engine/dev_tenant.h"
#include "engine/executors.h"
#include "engine/files.h"
#include "engine/policy_files.h"
#include "storage/database.h"
#include "storage/migrator.h"
#include "storage/private_postgres.h"
#include "storage/provision.h"

namespace sgl::engine {
namespace {

constexpr char kHelp[] =
    R"(Serves on this machine only, with a private PostgreSQL in the data
folder, a demo tenant, an agent, two approvers and tokens. Intent types with a
built-in effect have it, those that --executors names what it says; every other
type records its decision and no more, except those of --no-executor, which
fail.

Examples:
  intentd dev --policy policy/library/atlas.sgl
  intentd dev --data-dir /srv/intent --port 50051 --policy policies/ \
      --no-executor SMS_SEND --ready-file /srv/intent/ready.json

A restart on the same folder keeps everything, tokens too. After a crash the
PostgreSQL that still runs is taken over; a clean stop stops it.)";

// The superuser of a private cluster.
constexpr char kAdminRole[] = "postgres";
constexpr char kAdminDatabase[] = "postgres";
constexpr char kDatabase[] = "intent";
constexpr char kOwnerRole[] = "intent_owner";
constexpr char kRuntimeRole[] = "intentd";
constexpr int kOwnerOnly = 0600;

struct Flags {
  std::string data_dir = "intent-dev";
  int port = 0;
  std::vector<std::string> policies;
  std::vector<std::string> no_executor;
  std::string executors;
  std::string ready_file;
  std::string log_level = "info";
  int grace_seconds = kGraceSecondsDefault;
};

// A database that is migrated and has the demo tenant.
struct DevDatabase {
  std::string database_url = {};
  std::string direct_url = {};
  DevTokens tokens = {};
};

absl::StatusOr<DevDatabase> Prepare(const Flags& flags,
                                    const storage::PrivatePostgres& postgres) {
  DevDatabase dev{.database_url = postgres.Url(kDatabase, kRuntimeRole),
                  .direct_url = postgres.Url(kDatabase, kOwnerRole)};
  absl::Status status = storage::Provision(
      postgres.Url(kAdminDatabase, kAdminRole), {.database = kDatabase,
                                                 .owner_role = kOwnerRole,
                                                 .runtime_role = kRuntimeRole});
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<std::string>> applied =
      storage::Deploy(dev.direct_url);
  if (!applied.ok()) return applied.status();
  status = storage::GrantRuntime(dev.direct_url, kRuntimeRole);
  if (!status.ok()) return status;
  status = storage::AdoptWriter(dev.direct_url, kOwnerRole);
  if (!status.ok()) return status;
  absl::StatusOr<DevTokens> tokens =
      LoadDevTokens(absl::StrCat(flags.data_dir, "/tokens.json"));
  if (!tokens.ok()) return tokens.status();
  dev.tokens = *std::move(tokens);
  const absl::StatusOr<std::unique_ptr<storage::Database>> direct =
      storage::Database::Create(dev.direct_url, {.connections_max = 1});
  if (!direct.ok()) return direct.status();
  status = EnsureDevTenant(**direct, dev.tokens);
  if (!status.ok()) return status;
  return dev;
}

// Returns the key that the data folder keeps; makes one where it is missing.
absl::StatusOr<AuditKey> LoadAuditKey(const std::string& path) {
  const absl::StatusOr<std::string> pem = ReadFile(path);
  if (pem.ok()) return AuditKey::FromPem(*pem);
  if (!absl::IsNotFound(pem.status())) return pem.status();
  const AuditKey key = AuditKey::Generate();
  const absl::Status written = WriteFileWhole(path, key.Pem(), kOwnerOnly);
  if (!written.ok()) return written;
  return key;
}

absl::Status WriteReadyFile(const std::string& path, const DevDatabase& dev,
                            const std::string& address) {
  nlohmann::ordered_json ready;
  ready["address"] = address;
  ready["database_url"] = dev.database_url;
  ready["direct_url"] = dev.direct_url;
  ready["tokens"] = nlohmann::ordered_json::parse(DevTokensJson(dev.tokens));
  return WriteFileWhole(path, absl::StrCat(ready.dump(2), "\n"), kOwnerOnly);
}

absl::StatusOr<ExecutorRegistry> ExecutorsOf(const Flags& flags) {
  if (flags.executors.empty()) {
    return ExecutorRegistry::RecordAllBut(flags.no_executor);
  }
  const absl::StatusOr<std::string> text = ReadFile(flags.executors);
  if (!text.ok()) return text.status();
  absl::StatusOr<ExecutorRegistry> registry =
      ExecutorRegistry::FromText(flags.executors, *text);
  if (!registry.ok()) return registry;
  return (*std::move(registry)).RecordingOthers();
}

absl::Status Serve(const Flags& flags, ExecutorRegistry executors,
                   const storage::PrivatePostgres& postgres) {
  const absl::StatusOr<DevDatabase> dev = Prepare(flags, postgres);
  if (!dev.ok()) return dev.status();
  Engine::Options engine;
  engine.database_url = dev->database_url;
  engine.direct_url = dev->direct_url;
  engine.executors = std::move(executors);
  const absl::StatusOr<AuditKey> key =
      LoadAuditKey(absl::StrCat(flags.data_dir, "/audit-key.pem"));
  if (!key.ok()) return key.status();
  engine.sealer.key = *key;
  engine.sealer.heads_path = absl::StrCat(flags.data_dir, "/audit-heads.jsonl");
  const ServerOptions server{.listen = absl::StrCat("127.0.0.1:", flags.port)};
  return RunServer(std::move(engine), server, flags.policies,
                   OnOtherPolicy::kActivate, flags.grace_seconds,
                   [&](const std::string& address) {
                     if (flags.ready_file.empty()) return absl::OkStatus();
                     return WriteReadyFile(flags.ready_file, *dev, address);
                   });
}

absl::Status Dev(const Flags& flags) {
  InitLog(flags.log_level);
  absl::StatusOr<ExecutorRegistry> executors = ExecutorsOf(flags);
  if (!executors.ok()) return executors.status();
  // A policy with errors is told before anything is started.
  if (!flags.policies.empty()) {
    const absl::StatusOr<std::vector<SourceFile>> sources =
        ReadPolicyFiles(flags.policies);
    if (!sources.ok()) return sources.status();
    const absl::Status compiled = CompilePolicy(*sources).status();
    if (!compiled.ok()) return compiled;
  }
  absl::StatusOr<std::unique_ptr<storage::PrivatePostgres>> postgres =
      storage::PrivatePostgres::Start({.data_dir = flags.data_dir});
  if (!postgres.ok()) return postgres.status();
  // Only now is the folder sure to be there. Two engines could share the
  // database, but not the stopping of it.
  const absl::StatusOr<std::unique_ptr<FileLock>> lock =
      FileLock::Take(absl::StrCat(flags.data_dir, "/intentd.lock"));
  if (!lock.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("another `intentd dev` runs in `", flags.data_dir,
                     "`; stop it, or give another --data-dir"));
  }
  const absl::Status served = Serve(flags, *std::move(executors), **postgres);
  const absl::Status stopped = (*postgres)->Stop();
  return served.ok() ? stopped : served;
}

}  // namespace

void AddDevCommand(CLI::App* app, Command* command) {
  CLI::App* verb = app->add_subcommand("dev", kHelp);
  auto flags = std::make_shared<Flags>();
  verb->add_option("--data-dir", flags->data_dir,
                   "where the private PostgreSQL lives")
      ->capture_default_str();
  verb->add_option("--port", flags->port, "0 takes a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  verb->add_option("--policy", flags->policies,
                   "rule files, or folders of them; may be repeated. Replaces "
                   "the active policy where it is another one");
  CLI::Option* none =
      verb->add_option("--no-executor", flags->no_executor,
                       "intent types that fail with NO_EXECUTOR, "
                       "comma-separated")
          ->delimiter(',');
  verb->add_option("--executors", flags->executors,
                   "what EXECUTED does, as for `serve`; all other types record")
      ->excludes(none);
  verb->add_option("--ready-file", flags->ready_file,
                   "written once it serves: address, URLs and tokens as JSON");
  verb->add_option("--grace", flags->grace_seconds,
                   "seconds that calls may take once a signal came")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  verb->add_option("--log-level", flags->log_level,
                   "debug, info, warn or error")
      ->capture_default_str();
  verb->callback(
      [flags, command] { *command = [flags] { return Dev(*flags); }; });
}

}  // namespace sgl::engine
