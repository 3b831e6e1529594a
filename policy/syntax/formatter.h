// The formatter: one file in the one layout that all files have. Formatting
// twice changes nothing, and the tree that the parser makes stays the same.
//
//   std::optional<std::string> text = Format(sources, file, diagnostics);
//
// The style:
// - Lines are at most 80 columns wide where tokens allow; indents are by 2.
// - A rule stands on one line if it fits and has no message. Else its head
//   (with `on`, if there is no message) has a line, and each clause one.
// - A limit's `else` begins a line, and so does what follows a title.
// - A long condition breaks before its `or`s, or else before its `and`s, then
//   inside the parts that are still too long; the body of any/all/count goes
//   below its head.
// - Fields stand on one line with commas, or on lines of their own without.
//   Sets, lists of simple values, `on` and `from` are packed; lists of objects
//   have a line for each. Trailing commas go.
// - Comments stay where they are, at the end of a line or on their own; so do
//   blank lines between lines, one at most.
// - Names lose quotes that say nothing: `payload["memo"]` is `payload.memo`.
//   Numbers, durations, strings and regexes keep their spelling.

#ifndef POLICY_SYNTAX_FORMATTER_H_
#define POLICY_SYNTAX_FORMATTER_H_

#include <optional>
#include <string>

#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"

namespace sgl {

// Returns the file's text in its layout; none if the file does not parse, and
// the diagnostics say why. Time and memory grow with the file's size, the
// stack with its nesting, which the parser bounds.
std::optional<std::string> Format(const SourceSet& sources, FileId file,
                                  Diagnostics& diagnostics);

}  // namespace sgl

#endif  // POLICY_SYNTAX_FORMATTER_H_
