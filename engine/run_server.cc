#include <absl/time/time.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <memory>
#include <utility>

#include "base/log.h"
#include "engine/commands.h"
#include "engine/policies.h"
#include "engine/policy_files.h"
#include "engine/shutdown_signals.h"
#include "storage/database.h"

namespace sgl::engine {
namespace {

constexpr absl::Duration kDrainMargin = absl::Seconds(2);

// Only the tables' owner replaces a policy without a vote; a first one the
// engine installs itself.
absl::Status Install(Engine* engine, const std::string& direct_url,
                     const std::vector<std::string>& paths,
                     OnOtherPolicy on_other) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      ReadPolicyFiles(paths);
  if (!sources.ok()) return sources.status();
  if (on_other == OnOtherPolicy::kRefuse) {
    return InstallPolicy(engine->db(), *sources, on_other);
  }
  const absl::StatusOr<std::unique_ptr<storage::Database>> direct =
      storage::Database::Create(direct_url, {.connections_max = 1});
  if (!direct.ok()) return direct.status();
  return InstallPolicy(**direct, *sources, on_other);
}

}  // namespace

absl::Status RunServer(
    Engine::Options engine_options, const ServerOptions& server_options,
    const std::vector<std::string>& policy_paths, OnOtherPolicy on_other,
    int grace_seconds,
    const std::function<absl::Status(const std::string& address)>& on_ready) {
  ShutdownSignals signals;
  // gRPC's own lines, at a level of ours: what they tell of is in statuses.
  gpr_set_log_function(
      [](gpr_log_func_args* line) { LogDebug("grpc: {}", line->message); });
  // The same for protobuf's: a caller's bad bytes must not fill our log.
  google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char*, int,
         const std::string& message) { LogDebug("protobuf: {}", message); });
  // Before a policy is installed: a server that can't serve changes nothing.
  const absl::Status checked = CheckServerOptions(server_options);
  if (!checked.ok()) return checked;
  const std::string direct_url = engine_options.direct_url;
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Create(std::move(engine_options));
  if (!engine.ok()) return engine.status();
  if (!policy_paths.empty()) {
    const absl::Status installed =
        Install(engine->get(), direct_url, policy_paths, on_other);
    if (!installed.ok()) return installed;
  }
  (*engine)->Load();
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::Start(engine->get(), server_options);
  if (!server.ok()) return server.status();
  // Not before it serves: an engine that can't must not claim either.
  (*engine)->Start();
  LogInfo("serving on {}", (*server)->address());
  const absl::Status ready = on_ready((*server)->address());
  if (!ready.ok()) return ready;

  signals.AwaitFirst();
  LogInfo("draining; a second signal ends the process at once");
  // The drain cancels calls itself at the end of the grace period; what goes
  // on after that is stuck.
  const ExitDeadline deadline(absl::Seconds(grace_seconds) + kDrainMargin);
  (*server)->Drain(absl::Seconds(grace_seconds));
  LogInfo("drained");
  return absl::OkStatus();
}

}  // namespace sgl::engine
