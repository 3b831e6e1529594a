// Proves that frames are read however they are cut, and that what is no frame
// is told from the end of the input.

#include "tools/sgl/lsp/framing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace sgl::tools {
namespace {

// A pipe whose far end holds a text and is closed.
class Pipe {
 public:
  explicit Pipe(const std::string& text) {
    EXPECT_EQ(pipe(ends_), 0);
    EXPECT_EQ(write(ends_[1], text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    close(ends_[1]);
  }
  ~Pipe() { close(ends_[0]); }
  int end() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

TEST(FramingTest, ReadsOneMessageAfterTheOther) {
  const Pipe input(
      "Content-Length: 2\r\n\r\n{}content-length:3\r\nX: y\r\n\r\n[1]");
  MessageReader reader(input.end());
  std::string body;
  EXPECT_EQ(reader.Read(&body), ReadResult::kMessage);
  EXPECT_EQ(body, "{}");
  EXPECT_TRUE(reader.HasInput());
  EXPECT_EQ(reader.Read(&body), ReadResult::kMessage);
  EXPECT_EQ(body, "[1]");
  EXPECT_EQ(reader.Read(&body), ReadResult::kEnd);
}

TEST(FramingTest, TellsWhatIsNoFrame) {
  struct Case {
    std::string input;
    ReadResult want;
  };
  const Case cases[] = {
      {"", ReadResult::kEnd},
      {"Content-Length: 5", ReadResult::kEnd},
      {"Content-Length: 5\r\n\r\nabc", ReadResult::kEnd},
      {"Content-Length: 999999999999\r\n\r\nabc", ReadResult::kEnd},
      {"Content-Length: +5\r\n\r\nabcde", ReadResult::kBroken},
      {"Content-Length: \r\n\r\nabcde", ReadResult::kBroken},
      {"Content-Type: x\r\n\r\n", ReadResult::kBroken},
      {"GET /\r\n\r\n", ReadResult::kBroken},
      {std::string(kHeaderBytesMax + 1, 'x'), ReadResult::kBroken},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.input.substr(0, 60));
    const Pipe input(one.input);
    MessageReader reader(input.end());
    std::string body;
    EXPECT_EQ(reader.Read(&body), one.want);
  }
}

}  // namespace
}  // namespace sgl::tools
