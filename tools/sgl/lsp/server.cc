// The life of the server: messages and their order.

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
    // A reply to the one thing that the server asks: to be told of changes on
    // disk. An editor that doesn't still tells of what it saves.
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
  const Json* const watches =
      JsonAt(params, {"capabilities", "workspace", "didChangeWatchedFiles",
                      "dynamicRegistration"});
  can_watch_ =
      watches != nullptr && watches->is_boolean() && watches->get<bool>();
  TakeFolders(params);
  Reply reply;
  reply.result = {
      {"serverInfo", {{"name", "sgl"}}},
      {"capabilities",
       {{"positionEncoding", "utf-16"},
        {"textDocumentSync",
         {{"openClose", true}, {"change", 2}, {"save", true}}},
        {"hoverProvider", true},
        {"definitionProvider", true},
        {"referencesProvider", true},
        {"documentSymbolProvider", true},
        {"completionProvider", {{"triggerCharacters", {".", "[", "\""}}}},
        {"workspace",
         {{"workspaceFolders",
           {{"supported", true}, {"changeNotifications", true}}}}},
        {"documentFormattingProvider", true},
        {"renameProvider", {{"prepareProvider", true}}}}}};
  return reply;
}

void LanguageServer::Send(const Json& message) {
  // Paths need not be UTF-8; what is not is replaced.
  const std::string body =
      message.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!WriteMessage(output_, body)) exit_status_ = 1;
}

void LanguageServer::ShowWarning(const std::string& message) {
  constexpr int kWarning = 2;  // the protocol's number
  Send({{"jsonrpc", "2.0"},
        {"method", "window/showMessage"},
        {"params", {{"type", kWarning}, {"message", message}}}});
}

void LanguageServer::SendError(const Json& id, int code,
                               absl::string_view message) {
  Send({{"jsonrpc", "2.0"},
        {"id", id},
        {"error", {{"code", code}, {"message", std::string(message)}}}});
}

}  // namespace sgl::tools
