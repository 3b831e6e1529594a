// The language server: what an editor asks of a policy set, answered over one
// pair of pipes.
//
//   return LanguageServer(STDIN_FILENO, STDOUT_FILENO).Run();
//
// One thread reads a message, answers it and reads the next. Diagnostics are
// made when no message is waiting, so that fast typing is checked once. What
// can't be understood gets an error, never a crash; where frames can't be told
// apart any more the server ends with status 1.

#ifndef TOOLS_SGL_LSP_SERVER_H_
#define TOOLS_SGL_LSP_SERVER_H_

#include <absl/strings/string_view.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/sgl/lsp/framing.h"
#include "tools/sgl/lsp/protocol.h"
#include "tools/sgl/lsp/workspace.h"

namespace sgl::tools {

// Confined to one thread. Borrows the descriptors.
class LanguageServer {
 public:
  LanguageServer(int input, int output) : reader_(input), output_(output) {}

  // Serves until `exit` or the end of the input. Returns the exit status: 0
  // after `shutdown` and `exit`, else 1, as the protocol has it.
  int Run();

 private:
  // A result, or an error where `code` is not 0.
  struct Reply {
    Json result;
    int code = 0;
    std::string message;
  };
  // A place in a file of an analysis; none where the request names none.
  struct Place {
    const Analysis* analysis = nullptr;
    FileId file = FileId::kNone;
    int32_t byte = 0;
  };

  void Handle(absl::string_view body);
  void HandleRequest(const Json& id, const std::string& method,
                     const Json& params);
  void HandleNotification(const std::string& method, const Json& params);

  void OpenFile(const Json& params);
  void ChangeFile(const Json& params);
  void CloseFile(const Json& params);
  void ChangeFolders(const Json& params);
  void TakeFolders(const Json& params);
  void AskForWatching();

  Reply Dispatch(const std::string& method, const Json& params);
  Reply Initialize(const Json& params);
  Reply ShowHover(const Json& params);
  Reply FindDefinition(const Json& params);
  Reply FindReferences(const Json& params);
  Reply ListSymbols(const Json& params);
  Reply Complete(const Json& params);
  Reply FormatFile(const Json& params);
  Reply PrepareRename(const Json& params);
  Reply Rename(const Json& params);

  // Returns the place that `params` name; a reply with the error if none.
  std::optional<Reply> FindPlace(const Json& params, bool needs_position,
                                 Place* place);
  Json LocationJson(const Analysis& analysis, Span span) const;
  Json DiagnosticJson(const Analysis& analysis, const LineTable& lines,
                      const Diagnostic& diagnostic) const;

  void PublishChanged();
  void CollectDiagnostics(const std::string& set,
                          std::map<std::string, Json>* by_file);
  void Publish(const std::string& path, Json diagnostics);

  void Send(const Json& message);
  void ShowWarning(const std::string& message);
  void SendError(const Json& id, int code, absl::string_view message);

  MessageReader reader_;
  const int output_;
  Workspace workspace_;
  // Files of each set that the editor was told have diagnostics.
  std::map<std::string, std::set<std::string>> published_;
  bool is_initialized_ = false;
  bool is_shut_down_ = false;
  bool has_related_information_ = false;
  bool can_watch_ = false;  // the editor tells of changes on disk if asked
  std::optional<int> exit_status_;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_SERVER_H_
