// Diagnostics on their way to the editor.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/sgl/lsp/positions.h"
#include "tools/sgl/lsp/protocol.h"
#include "tools/sgl/lsp/server.h"

namespace sgl::tools {

// Publishes the diagnostics of every file of the changed sets that has some or
// had some: a change here can mend or break a file beside. A file that moved
// from one set to another is told of once.
void LanguageServer::PublishChanged() {
  const std::vector<std::string> sets = workspace_.TakeChanged();
  if (sets.empty()) return;
  std::map<std::string, Json> by_file;
  for (const std::string& set : sets) {
    for (const std::string& path : published_[set]) {
      by_file[path] = Json::array();
    }
  }
  for (const std::string& set : sets) CollectDiagnostics(set, &by_file);
  for (auto& [path, diagnostics] : by_file) {
    Publish(path, std::move(diagnostics));
  }
}

void LanguageServer::CollectDiagnostics(const std::string& set,
                                        std::map<std::string, Json>* by_file) {
  published_.erase(set);
  const Analysis* const analysis = workspace_.AnalysisOfSet(set);
  if (analysis == nullptr) return;
  for (const Ast& ast : analysis->files) {
    const std::string path(analysis->sources.name(ast.file));
    if (workspace_.VersionOf(path).has_value()) {
      (*by_file)[path] = Json::array();
    }
  }
  std::set<std::string>& published = published_[set];
  std::map<FileId, LineTable> lines;
  for (const Diagnostic& diagnostic : analysis->diagnostics.Sorted()) {
    const FileId file = diagnostic.span.file;
    if (file == FileId::kNone) continue;
    const auto table =
        lines.try_emplace(file, analysis->sources.text(file)).first;
    const std::string path(analysis->sources.name(file));
    Json& list = (*by_file)[path];
    if (published.insert(path).second) list = Json::array();
    list.push_back(DiagnosticJson(*analysis, table->second, diagnostic));
  }
}

void LanguageServer::Publish(const std::string& path, Json diagnostics) {
  Json params = {{"uri", workspace_.UriOf(path)},
                 {"diagnostics", std::move(diagnostics)}};
  const std::optional<int64_t> version = workspace_.VersionOf(path);
  if (version.has_value()) params["version"] = *version;
  Send({{"jsonrpc", "2.0"},
        {"method", "textDocument/publishDiagnostics"},
        {"params", std::move(params)}});
}

}  // namespace sgl::tools
