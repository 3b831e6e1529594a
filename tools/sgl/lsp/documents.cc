// What the editor tells without a question: documents and folders that change.
// What makes no sense is left out, for nobody waits for an answer.

#include <absl/strings/match.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/sgl/lsp/positions.h"
#include "tools/sgl/lsp/protocol.h"
#include "tools/sgl/lsp/server.h"

namespace sgl::tools {
namespace {

// Puts one change into a text; false where it is none.
bool ApplyChange(const Json& change, std::string* text) {
  std::optional<std::string> inserted = StringAt(change, {"text"});
  if (!inserted.has_value()) return false;
  if (JsonAt(change, {"range"}) == nullptr) {
    *text = *std::move(inserted);
    return true;
  }
  const std::optional<Position> from = PositionAt(change, {"range", "start"});
  const std::optional<Position> to = PositionAt(change, {"range", "end"});
  if (!from.has_value() || !to.has_value()) return false;
  const LineTable lines(*text);
  const int32_t begin = lines.ByteOf(*from);
  const int32_t end = std::max(begin, lines.ByteOf(*to));
  text->replace(static_cast<size_t>(begin), static_cast<size_t>(end - begin),
                *inserted);
  return true;
}

}  // namespace

void LanguageServer::HandleNotification(const std::string& method,
                                        const Json& params) {
  if (method == "exit") {
    exit_status_ = is_shut_down_ ? 0 : 1;
    return;
  }
  if (!is_initialized_ || is_shut_down_) return;
  if (method == "initialized") {
    AskForWatching();
  } else if (method == "textDocument/didOpen") {
    OpenFile(params);
  } else if (method == "textDocument/didChange") {
    ChangeFile(params);
  } else if (method == "textDocument/didClose") {
    CloseFile(params);
  } else if (method == "textDocument/didSave" ||
             method == "workspace/didChangeWatchedFiles") {
    workspace_.Refresh();
  } else if (method == "workspace/didChangeWorkspaceFolders") {
    ChangeFolders(params);
  }
}

void LanguageServer::OpenFile(const Json& params) {
  const std::optional<std::string> uri =
      StringAt(params, {"textDocument", "uri"});
  std::optional<std::string> text = StringAt(params, {"textDocument", "text"});
  if (!uri.has_value() || !text.has_value()) return;
  workspace_.Open(*uri, *std::move(text),
                  IntAt(params, {"textDocument", "version"}));
}

void LanguageServer::ChangeFile(const Json& params) {
  const std::optional<std::string> uri =
      StringAt(params, {"textDocument", "uri"});
  const Json* const changes = JsonAt(params, {"contentChanges"});
  if (!uri.has_value() || changes == nullptr || !changes->is_array()) return;
  const std::string* const open = workspace_.TextOf(*uri);
  if (open == nullptr) return;
  std::string text = *open;
  for (const Json& change : *changes) {
    // Half of the changes would be a text that nobody wrote.
    if (!ApplyChange(change, &text)) return;
  }
  workspace_.Change(*uri, std::move(text),
                    IntAt(params, {"textDocument", "version"}));
}

void LanguageServer::CloseFile(const Json& params) {
  const std::optional<std::string> uri =
      StringAt(params, {"textDocument", "uri"});
  if (uri.has_value()) workspace_.Close(*uri);
}

void LanguageServer::ChangeFolders(const Json& params) {
  const auto each = [&params](const char* list, const auto& take) {
    const Json* const folders = JsonAt(params, {"event", list});
    if (folders == nullptr || !folders->is_array()) return;
    for (const Json& folder : *folders) {
      if (const auto uri = StringAt(folder, {"uri"})) take(*uri);
    }
  };
  each("removed",
       [this](const std::string& uri) { workspace_.RemoveFolder(uri); });
  each("added", [this](const std::string& uri) { workspace_.AddFolder(uri); });
}

// Takes the folders that are open, and of the settings the roots: paths, or
// parts of one below a folder that is open.
void LanguageServer::TakeFolders(const Json& params) {
  std::vector<std::string> uris;
  const Json* const folders = JsonAt(params, {"workspaceFolders"});
  if (folders != nullptr && folders->is_array()) {
    for (const Json& folder : *folders) {
      if (auto uri = StringAt(folder, {"uri"})) uris.push_back(*std::move(uri));
    }
  } else if (auto root = StringAt(params, {"rootUri"})) {
    uris.push_back(*std::move(root));
  }
  for (const std::string& uri : uris) workspace_.AddFolder(uri);
  const Json* const wanted = JsonAt(params, {"initializationOptions", "roots"});
  if (wanted == nullptr || !wanted->is_array()) return;
  std::vector<std::string> roots;
  for (const Json& root : *wanted) {
    const std::optional<std::string> path = StringAt(root, {});
    if (!path.has_value() || path->empty()) continue;
    if (absl::StartsWith(*path, "/")) {
      roots.push_back(FolderOfPath(*path));
      continue;
    }
    for (const std::string& uri : uris) {
      roots.push_back(FolderOfPath(FolderOfUri(uri) + "/" + *path));
    }
  }
  workspace_.SetRoots(std::move(roots));
}

void LanguageServer::AskForWatching() {
  if (!can_watch_) return;
  const Json watcher = {{"globPattern", "**/*.sgl"}};
  const Json registration = {
      {"id", "sgl-files"},
      {"method", "workspace/didChangeWatchedFiles"},
      {"registerOptions", {{"watchers", Json::array({watcher})}}}};
  Send({{"jsonrpc", "2.0"},
        {"id", "watch"},
        {"method", "client/registerCapability"},
        {"params", {{"registrations", Json::array({registration})}}}});
}

}  // namespace sgl::tools
