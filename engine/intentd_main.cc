// intentd: decides what agents may do, and remembers it.
//
// Exit status: 0 it was told to stop and did, 1 it could not serve, 2 the
// command line is wrong.
#include <absl/strings/string_view.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "engine/commands.h"

namespace {

constexpr char kHelp[] =
    R"(intentd decides what agents may do, and remembers it.

  intentd dev --policy policy/library/atlas.sgl     try it out
  intentd serve --help                              run it for real)";

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kHelp, "intentd");
  app.require_subcommand(1);
  sgl::engine::Command command;
  sgl::engine::AddServeCommand(&app, &command);
  sgl::engine::AddDevCommand(&app, &command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const absl::Status status = command();
  if (status.ok()) return 0;
  // Diagnostics of a policy start on a line of their own.
  const bool has_lines = status.message().find('\n') != absl::string_view::npos;
  std::cerr << "intentd:" << (has_lines ? "\n" : " ") << status.message()
            << "\n";
  return kExitFailed;
}
