#include "policy/syntax/format_properties.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "policy/syntax/fingerprint.h"
#include "policy/syntax/format_tokens.h"
#include "policy/syntax/formatter.h"
#include "policy/syntax/parser.h"

namespace sgl {
namespace {

// One file of its own.
struct Source {
  explicit Source(absl::string_view text)
      : file(sources.Add("file", std::string(text))) {}

  SourceSet sources;
  FileId file;
};

std::string TreeOf(const Source& source, Diagnostics& diagnostics) {
  return Fingerprint(Parse(source.sources, source.file, diagnostics));
}

// The texts of the comments, sorted: a comma that goes may leave its comment
// behind the next one.
std::vector<std::string> CommentsOf(const Source& source) {
  std::vector<std::string> texts;
  for (const Comment& comment :
       ReadFormatTokens(source.sources, source.file).comments) {
    texts.emplace_back(comment.text);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

std::string BrokenFormatProperty(absl::string_view text) {
  const Source before(text);
  Diagnostics parsing;
  const std::string tree = TreeOf(before, parsing);
  Diagnostics formatting;
  const std::optional<std::string> formatted =
      Format(before.sources, before.file, formatting);
  if (formatting.all().size() != parsing.all().size()) {
    return "the formatter reports other errors than the parser";
  }
  if (!formatted.has_value()) {
    return parsing.error_count() > 0 ? "" : "a file without errors is refused";
  }
  if (parsing.error_count() > 0) return "a file with errors is formatted";
  const Source after(*formatted);
  Diagnostics parsing_again;
  const std::string tree_again = TreeOf(after, parsing_again);
  if (!parsing_again.all().empty()) {
    return absl::StrCat("the result does not parse:\n",
                        RenderAll(after.sources, parsing_again), *formatted);
  }
  if (tree_again != tree) {
    return absl::StrCat("the tree changed from\n", tree, "to\n", tree_again);
  }
  if (CommentsOf(before) != CommentsOf(after)) {
    return absl::StrCat("the comments changed:\n", *formatted);
  }
  const std::optional<std::string> twice =
      Format(after.sources, after.file, formatting);
  if (twice != formatted) {
    return absl::StrCat("once:\n", *formatted, "twice:\n", twice.value_or(""));
  }
  if (!absl::EndsWith(*formatted, "\n") ||
      absl::StrContains(*formatted, " \n") ||
      absl::StrContains(*formatted, "\n\n\n")) {
    return absl::StrCat("blanks are left over:\n", *formatted);
  }
  return "";
}

}  // namespace sgl
