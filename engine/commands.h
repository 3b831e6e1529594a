// The verbs of intentd: each adds itself to the command line and runs until
// it is told to stop. Internal to intentd.

#ifndef ENGINE_COMMANDS_H_
#define ENGINE_COMMANDS_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/server.h"

namespace sgl::engine {

// What a chosen verb does; returns when the server is drained.
using Command = std::function<absl::Status()>;

// Each adds its verb; when the command line names it, `*command` is set.
void AddServeCommand(CLI::App* app, Command* command);
void AddDevCommand(CLI::App* app, Command* command);

// How long calls under way may take once the server drains.
inline constexpr int kGraceSecondsDefault = 20;

// What both verbs do once they know the database: start engine and server,
// call `on_ready` with the address, wait for a signal, drain.
absl::Status RunServer(
    Engine::Options engine_options, const ServerOptions& server_options,
    const std::vector<std::string>& policy_paths, OnOtherPolicy on_other,
    int grace_seconds,
    const std::function<absl::Status(const std::string& address)>& on_ready);

}  // namespace sgl::engine

#endif  // ENGINE_COMMANDS_H_
