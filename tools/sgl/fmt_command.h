// The work of `sgl fmt`: files in, their layout out. Apart from the verb, so
// that tests run it on streams of their own.

#ifndef TOOLS_SGL_FMT_COMMAND_H_
#define TOOLS_SGL_FMT_COMMAND_H_

#include <absl/strings/string_view.h>

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

struct FmtOptions {
  // Files and folders of .sgl files; `-`, or none at all, is the input.
  std::vector<std::string> paths;
  bool is_check = false;  // only say which files differ
  bool is_write = false;  // write files back
};

// Formats what the options name and returns the exit status: kExitWrong where
// a file does not parse or, with `is_check`, differs from its layout. A file
// that does not parse is left as it is; its diagnostics go to `errors`.
int FormatFiles(const FmtOptions& options, std::istream& input,
                std::ostream& output, std::ostream& errors);

// Returns the first place where two texts differ, as `-` and `+` lines below a
// line that says where; nothing if they are the same.
std::string FirstDifference(absl::string_view before, absl::string_view after);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_FMT_COMMAND_H_
