// sgl lsp: the language server that editors start.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "tools/sgl/commands.h"
#include "tools/sgl/lsp/server.h"

namespace sgl::tools {
namespace {

constexpr char kHelp[] = "Serves an editor by the Language Server Protocol.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl lsp    # editors start it so, and speak over its two streams\n"
    "\n"
    "In Neovim 0.11:\n"
    "  vim.lsp.config('sgl', { cmd = { 'sgl', 'lsp' }, filetypes = { 'sgl' } "
    "})\n"
    "  vim.lsp.enable('sgl')\n"
    "docs/editors.md shows other editors. Diagnostics while typing, hover, go\n"
    "to definition, references, completion, outline, formatting, and rename\n"
    "of consts and defs. A policy set begins at the nearest folder where a\n"
    "file says `default`.\n"
    "\n"
    "exit status: 0 the editor ended it, 1 the pipe broke or held no\n"
    "messages, 2 bad usage";

}  // namespace

void AddLspCommand(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("lsp", kHelp);
  // Some editors' clients name the pipes that they use anyway.
  command->add_flag("--stdio")->description(
      "use standard input and output (always)");
  command->footer(kFooter);
  command->callback([&run] {
    run = [] {
      // An editor that goes away must end the server by a failed write.
      std::signal(SIGPIPE, SIG_IGN);
      return LanguageServer(STDIN_FILENO, STDOUT_FILENO).Run();
    };
  });
}

}  // namespace sgl::tools
