// What must hold for every file that the formatter takes. Shared by its unit
// tests, the golden files and the fuzzer.

#ifndef POLICY_SYNTAX_FORMAT_PROPERTIES_H_
#define POLICY_SYNTAX_FORMAT_PROPERTIES_H_

#include <absl/strings/string_view.h>

#include <string>

namespace sgl {

// Returns which property a text breaks, or nothing. A text that parses keeps
// its tree and its comments, and its layout is final; another is refused with
// an error.
std::string BrokenFormatProperty(absl::string_view text);

}  // namespace sgl

#endif  // POLICY_SYNTAX_FORMAT_PROPERTIES_H_
