// The wire of the language server: messages framed by `Content-Length`, read
// from one file descriptor and written to another.
//
//   MessageReader reader(STDIN_FILENO);
//   std::string body;
//   while (reader.Read(&body) == ReadResult::kMessage) Handle(body);

#ifndef TOOLS_SGL_LSP_FRAMING_H_
#define TOOLS_SGL_LSP_FRAMING_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>

namespace sgl::tools {

// The longest file (32 MiB) with every byte escaped twice over fits; a longer
// message comes from no editor.
inline constexpr size_t kMessageBytesMax = 128 << 20;

// Two headers of a line each are all that there is.
inline constexpr size_t kHeaderBytesMax = 4096;

enum class ReadResult {
  kMessage,
  kTooLong,  // skipped; the next one can be read
  kEnd,      // the other side closed its end, between messages or inside one
  kBroken,   // no frame: where the next begins can't be known
};

// Reads messages. Borrows the descriptor. Confined to one thread.
class MessageReader {
 public:
  explicit MessageReader(int descriptor) : descriptor_(descriptor) {}

  // Waits for the next message and puts its body into `body`.
  ReadResult Read(std::string* body);

  // Returns whether more input is there already.
  bool HasInput() const;

 private:
  bool Fill();  // false at the end of the input
  bool Skip(size_t bytes);

  const int descriptor_;
  std::string buffer_;
};

// Writes one message; false when nobody reads any more.
bool WriteMessage(int descriptor, absl::string_view body);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_FRAMING_H_
