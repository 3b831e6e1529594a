// The verbs of sgl. Each function adds one verb to the command line; the
// chosen verb leaves its work in `run`, which main calls once the line has
// been parsed. A run returns the process's exit status.

#ifndef TOOLS_SGL_COMMANDS_H_
#define TOOLS_SGL_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>

namespace sgl::tools {

using Run = std::function<int()>;

// Exit statuses of every verb.
inline constexpr int kExitOk = 0;
// The policy or the input is wrong.
inline constexpr int kExitWrong = 1;
// The command line is wrong, or names a file that can't be read.
inline constexpr int kExitUsage = 2;

// `sgl bench --policy PATH… [--input FILE.jsonl] [--json]`
void AddBenchCommand(CLI::App& app, Run& run);

// `sgl check PATH…`
void AddCheckCommand(CLI::App& app, Run& run);

// `sgl dump --policy PATH…`
void AddDumpCommand(CLI::App& app, Run& run);

// `sgl eval --policy PATH… [--input FILE.jsonl] [--fail-on DECISION]`
void AddEvalCommand(CLI::App& app, Run& run);

// `sgl explain --policy PATH… [--input FILE.jsonl] [--applied] [--json]`
void AddExplainCommand(CLI::App& app, Run& run);

// `sgl fmt [--check] [-w] [PATH…]`
void AddFmtCommand(CLI::App& app, Run& run);

// `sgl init [FOLDER]`
void AddInitCommand(CLI::App& app, Run& run);

// `sgl lsp`
void AddLspCommand(CLI::App& app, Run& run);

// `sgl test [--coverage] [--run TEXT] [--json] [--junit FILE] PATH…`
void AddTestCommand(CLI::App& app, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_COMMANDS_H_
