// A regex as programs match it: by RE2, or without it where the pattern is a
// plain one. Building an automaton takes longer than all else that is done with
// a rule, and matching by it costs more than comparing a few bytes.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_COMPILED_REGEX_H_
#define POLICY_COMPILE_COMPILED_REGEX_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <optional>
#include <string>

#include "policy/compile/plain_pattern.h"

namespace re2 {
class RE2;
}

namespace sgl {

// Immutable, hence shareable between threads.
class CompiledRegex {
 public:
  // Builds what matches the pattern. Where RE2 refuses it, `error()` says why.
  CompiledRegex(absl::string_view pattern, bool ignores_case);
  ~CompiledRegex();

  CompiledRegex(const CompiledRegex&) = delete;
  CompiledRegex& operator=(const CompiledRegex&) = delete;

  // Empty where the pattern is one.
  std::string error() const;

  const std::string& pattern() const { return pattern_; }
  bool ignores_case() const { return ignores_case_; }

  // The pattern's plain form; nothing where RE2 matches it.
  const std::optional<PlainPattern>& plain() const { return plain_; }

  // Returns whether the text has a match anywhere. REQUIRES: no error.
  bool Matches(absl::string_view text) const;

 private:
  const std::string pattern_;
  const bool ignores_case_;
  std::optional<PlainPattern> plain_;
  std::unique_ptr<const re2::RE2> regex_;  // null where `plain_` is there
};

}  // namespace sgl

#endif  // POLICY_COMPILE_COMPILED_REGEX_H_
