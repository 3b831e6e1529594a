#include "policy/compile/compiled_regex.h"

#include <re2/re2.h>

#include "policy/limits.h"

namespace sgl {

CompiledRegex::CompiledRegex(absl::string_view pattern, bool ignores_case)
    : pattern_(pattern), ignores_case_(ignores_case) {
  if (!ignores_case) plain_ = ReadPlainPattern(pattern);
  if (plain_.has_value()) return;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  options.set_case_sensitive(!ignores_case);
  regex_ = std::make_unique<const re2::RE2>(pattern_, options);
}

CompiledRegex::~CompiledRegex() = default;

std::string CompiledRegex::error() const {
  return regex_ == nullptr ? std::string() : regex_->error();
}

bool CompiledRegex::Matches(absl::string_view text) const {
  if (plain_.has_value()) return plain_->Matches(text);
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                                *regex_);
}

}  // namespace sgl
