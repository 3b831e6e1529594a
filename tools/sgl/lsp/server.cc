// The life of the server: messages, their order, and documents that change.

#include "tools/sgl/lsp/server.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <utility>

namespace sgl::tools {
namespace {

// Replies say whose they are by the request's id: a number or a text.
bool IsId(const Json& id) { return id.is_number_integer() || id.is_string(); }

}  // namespace

int LanguageServer::Run() {
  std::string body;
  while (!exit_status_.has_value()) {
    if (!reader_.HasInput()) PublishChanged();
    switch (reader_.Read(&body)) {
      case ReadResult::kMessage:
        Handle(body);
        break;
      case ReadResult::kTooLong:
        SendError(nullptr, kRequestError,
                  absl::StrCat("a message of more than ", kMessageBytesMax,
                               " bytes was skipped"));
        break;
      case ReadResult::kBroken:
        SendError(nullptr, kParseError,
                  "expected a `Content-Length` header with a number");
        return 1;
      case ReadResult::kEnd:
        return 1;
    }
  }
  return *exit_status_;
}

void LanguageServer::Handle(absl::string_view body) {
  const Json message = Json::parse(body.begin(), body.end(), nullptr,
                                   /*allow_exceptions=*/false);
  if (message.is_discarded()) {
    return SendError(nullptr, kParseError, "the message is no JSON");
  }
  const std::optional<std::string> method = StringAt(message, {"method"});
  const Json* const id = JsonAt(message, {"id"});
  static const Json* const kNoParams = new Json(Json::object());
  const Json* params = JsonAt(message, {"params"});
  if (params == nullptr) params = kNoParams;
  if (!method.has_value()) {
    // A reply to us: the server asks nothing, so nothing waits for it.
    if (id != nullptr &&
        (message.contains("result") || message.contains("error"))) {
      return;
    }
    return SendError(id != nullptr && IsId(*id) ? *id : Json(), kRequestError,
                     "the message has no `method`");
  }
  if (id == nullptr) return HandleNotification(*method, *params);
  if (!IsId(*id)) {
    return SendError(nullptr, kRequestError,
                     "the `id` is neither a whole number nor a text");
  }
  HandleRequest(*id, *method, *params);
}

void LanguageServer::HandleRequest(const Json& id, const std::string& method,
                                   const Json& params) {
  if (is_shut_down_) {
    return SendError(id, kRequestError, "the server is shut down");
  }
  if (!is_initialized_ && method != "initialize") {
    return SendError(id, kNotInitialized, "the first request is `initialize`");
  }
  Reply reply = Dispatch(method, params);
  if (reply.code != 0) return SendError(id, reply.code, reply.message);
  Send({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(reply.result)}});
}

LanguageServer::Reply LanguageServer::Dispatch(const std::string& method,
                                               const Json& params) {
  using Handler = Reply (LanguageServer::*)(const Json&);
  struct Entry {
    absl::string_view method;
    Handler handler;
  };
  constexpr Entry kEntries[] = {
      {"initialize", &LanguageServer::Initialize},
      {"textDocument/hover", &LanguageServer::ShowHover},
      {"textDocument/definition", &LanguageServer::FindDefinition},
      {"textDocument/references", &LanguageServer::FindReferences},
      {"textDocument/documentSymbol", &LanguageServer::ListSymbols},
      {"textDocument/completion", &LanguageServer::Complete},
      {"textDocument/formatting", &LanguageServer::FormatFile},
      {"textDocument/prepareRename", &LanguageServer::PrepareRename},
      {"textDocument/rename", &LanguageServer::Rename},
  };
  if (method == "shutdown") {
    is_shut_down_ = true;
    return {};
  }
  for (const Entry& entry : kEntries) {
    if (entry.method == method) return (this->*entry.handler)(params);
  }
  return {{}, kUnknownMethod, absl::StrCat("unknown method `", method, "`")};
}

void LanguageServer::HandleNotification(const std::string& method,
                                        const Json& params) {
  if (method == "exit") {
    exit_status_ = is_shut_down_ ? 0 : 1;
    return;
  }
  if (!is_initialized_ || is_shut_down_) return;
  const std::optional<std::string> uri =
      StringAt(params, {"textDocument", "uri"});
  const std::optional<int64_t> version =
      IntAt(params, {"textDocument", "version"});
  if (method == "textDocument/didOpen") {
    std::optional<std::string> text =
        StringAt(params, {"textDocument", "text"});
    if (uri.has_value() && text.has_value()) {
      workspace_.Open(*uri, std::move(*text), version);
    }
  } else if (method == "textDocument/didChange") {
    const Json* const changes = JsonAt(params, {"contentChanges"});
    if (!uri.has_value() || changes == nullptr || !changes->is_array() ||
        changes->empty()) {
      return;
    }
    // The server asks for whole texts: the last one is what there is.
    std::optional<std::string> text = StringAt(changes->back(), {"text"});
    if (!text.has_value() || changes->back().contains("range")) return;
    workspace_.Change(*uri, std::move(*text), version);
  } else if (method == "textDocument/didClose") {
    if (uri.has_value()) workspace_.Close(*uri);
  } else if (method == "textDocument/didSave" ||
             method == "workspace/didChangeWatchedFiles") {
    workspace_.Refresh();
  }
}

LanguageServer::Reply LanguageServer::Initialize(const Json& params) {
  if (is_initialized_) {
    return {{}, kRequestError, "`initialize` comes once"};
  }
  is_initialized_ = true;
  const Json* const related =
      JsonAt(params, {"capabilities", "textDocument", "publishDiagnostics",
                      "relatedInformation"});
  has_related_information_ =
      related != nullptr && related->is_boolean() && related->get<bool>();
  Reply reply;
  reply.result = {{"serverInfo", {{"name", "sgl"}}},
                  {"capabilities",
                   {{"positionEncoding", "utf-16"},
                    {"textDocumentSync",
                     {{"openClose", true}, {"change", 1}, {"save", true}}},
                    {"hoverProvider", true},
                    {"definitionProvider", true},
                    {"referencesProvider", true},
                    {"documentSymbolProvider", true},
                    {"completionProvider", {{"triggerCharacters", {"."}}}},
                    {"documentFormattingProvider", true},
                    {"renameProvider", {{"prepareProvider", true}}}}}};
  return reply;
}

void LanguageServer::PublishChanged() {
  for (const std::string& set : workspace_.TakeChanged()) PublishSet(set);
}

// Publishes the diagnostics of every file of the set that has some or had
// some: a change here can mend or break a file beside.
void LanguageServer::PublishSet(const std::string& set) {
  std::map<std::string, Json> by_file;
  for (const std::string& path : published_[set]) {
    by_file[path] = Json::array();
  }
  const Analysis* const analysis = workspace_.AnalysisOfSet(set);
  if (analysis != nullptr) {
    for (const Ast& ast : analysis->files) {
      const std::string path(analysis->sources.name(ast.file));
      if (workspace_.VersionOf(path).has_value()) by_file[path] = Json::array();
    }
    std::map<FileId, LineTable> lines;
    for (const Diagnostic& diagnostic : analysis->diagnostics.Sorted()) {
      const FileId file = diagnostic.span.file;
      if (file == FileId::kNone) continue;
      const auto table =
          lines.try_emplace(file, analysis->sources.text(file)).first;
      Json& list = by_file[std::string(analysis->sources.name(file))];
      if (list.is_null()) list = Json::array();
      list.push_back(DiagnosticJson(*analysis, table->second, diagnostic));
    }
  }
  std::set<std::string> published;
  for (auto& [path, diagnostics] : by_file) {
    if (!diagnostics.empty()) published.insert(path);
    Publish(path, std::move(diagnostics));
  }
  if (analysis == nullptr) {
    published_.erase(set);
  } else {
    published_[set] = std::move(published);
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

void LanguageServer::Send(const Json& message) {
  // Paths need not be UTF-8; what is not is replaced.
  const std::string body =
      message.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!WriteMessage(output_, body)) exit_status_ = 1;
}

void LanguageServer::SendError(const Json& id, int code,
                               absl::string_view message) {
  Send({{"jsonrpc", "2.0"},
        {"id", id},
        {"error", {{"code", code}, {"message", std::string(message)}}}});
}

}  // namespace sgl::tools
