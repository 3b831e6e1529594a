#include "engine/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sgl::engine {
namespace {

// Returns whether the byte stands for itself in a JSON string, whatever stands
// beside it.
bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void AppendJsonText(absl::string_view text, std::string* out) {
  if (std::all_of(text.begin(), text.end(), IsPlain)) {
    out->push_back('"');
    out->append(text.data(), text.size());
    out->push_back('"');
    return;
  }
  out->append(
      nlohmann::json(std::string(text))
          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void AppendJsonTexts(const std::vector<absl::string_view>& texts,
                     std::string* out) {
  absl::string_view separator = "[";
  for (const absl::string_view text : texts) {
    out->append(separator.data(), separator.size());
    AppendJsonText(text, out);
    separator = ",";
  }
  out->append(texts.empty() ? "[]" : "]");
}

}  // namespace sgl::engine
