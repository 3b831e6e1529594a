// JSON written straight into a text: for what is written with every intent,
// where building a tree first would cost more than deciding does.
//
//   std::string out = "{\"name\":";
//   AppendJsonText(agent.name, &out);
//   absl::StrAppend(&out, ",\"tier\":", agent.tier, "}");

#ifndef ENGINE_JSON_TEXT_H_
#define ENGINE_JSON_TEXT_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl::engine {

// Appends a JSON string. What is no UTF-8 becomes U+FFFD.
void AppendJsonText(absl::string_view text, std::string* out);

// Appends a JSON list of strings.
void AppendJsonTexts(const std::vector<absl::string_view>& texts,
                     std::string* out);

}  // namespace sgl::engine

#endif  // ENGINE_JSON_TEXT_H_
