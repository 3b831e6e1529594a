// A text that a regex matches, where one is easily made.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_SAMPLE_TEXT_H_
#define POLICY_EVAL_SAMPLE_TEXT_H_

#include <absl/strings/string_view.h>

#include <string>

namespace sgl {

// Returns a text that the pattern probably matches: right for literals,
// classes and quantifiers one behind the other; else a part of one.
std::string SampleText(absl::string_view pattern);

}  // namespace sgl

#endif  // POLICY_EVAL_SAMPLE_TEXT_H_
