#include "policy/eval/payload_edit.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace sgl {
namespace {

// Writes one document. Confined to one EditPayload call. Recursion is as deep
// as the document, whose parser bounded it.
class Editor {
 public:
  Editor(const JsonDocument& document, const std::vector<PayloadStep>& path,
         const std::optional<std::string>& replacement)
      : document_(document), path_(path), replacement_(replacement) {}

  // `depth` is how many steps of the path lead to the node; negative where
  // the node lies beside it.
  void Write(const JsonNode& node, int depth);

  std::optional<std::string> Take() {
    if (!is_edited_) return std::nullopt;
    return std::move(out_);
  }

 private:
  void WriteItems(const JsonNode& node, int depth);

  bool IsStep(const JsonNode& parent, const JsonNode& child, uint32_t number,
              int depth) const {
    if (depth < 0) return false;
    const PayloadStep& step = path_[static_cast<size_t>(depth)];
    return parent.kind == JsonKind::kObject
               ? step.index < 0 && step.name == child.key
               : step.index >= 0 && static_cast<uint32_t>(step.index) == number;
  }

  const JsonDocument& document_;
  const std::vector<PayloadStep>& path_;
  const std::optional<std::string>& replacement_;
  std::string out_;
  bool is_edited_ = false;
};

void Editor::Write(const JsonNode& node, int depth) {
  switch (node.kind) {
    case JsonKind::kObject:
    case JsonKind::kArray:
      return WriteItems(node, depth);
    case JsonKind::kString:
      return AppendJsonString(node.text, &out_);
    case JsonKind::kNull:
      out_ += "null";
      return;
    case JsonKind::kBool:
      out_ += node.boolean ? "true" : "false";
      return;
    case JsonKind::kNumber:
    case JsonKind::kNotANumber:
      absl::StrAppend(&out_, node.text);
      return;
  }
}

void Editor::WriteItems(const JsonNode& node, int depth) {
  const bool is_object = node.kind == JsonKind::kObject;
  const bool is_last =
      depth >= 0 && path_.size() == static_cast<size_t>(depth) + 1;
  bool is_found = false;
  const size_t begin = out_.size() + 1;
  const auto start_item = [&](absl::string_view key) {
    if (out_.size() > begin) out_ += ", ";
    if (!is_object) return;
    AppendJsonString(key, &out_);
    out_ += ": ";
  };
  out_ += is_object ? "{" : "[";
  const JsonNode* child = JsonDocument::FirstChild(node);
  for (uint32_t i = 0; i < node.size; ++i) {
    const bool is_step = IsStep(node, *child, i, depth);
    is_found |= is_step;
    if (is_step && is_last) {
      is_edited_ = true;
      if (replacement_.has_value()) {
        start_item(child->key);
        out_ += *replacement_;
      }
    } else {
      start_item(is_object ? child->key : "");
      Write(*child, is_step ? depth + 1 : -1);
    }
    child = document_.NextChild(*child);
  }
  if (is_object && is_last && !is_found && replacement_.has_value() &&
      path_.back().index < 0) {
    is_edited_ = true;
    start_item(path_.back().name);
    out_ += *replacement_;
  }
  out_ += is_object ? "}" : "]";
}

}  // namespace

std::optional<std::string> EditPayload(
    const JsonDocument& document, const std::vector<PayloadStep>& path,
    const std::optional<std::string>& replacement) {
  if (path.empty()) return std::nullopt;
  Editor editor(document, path, replacement);
  editor.Write(document.root(), 0);
  return editor.Take();
}

}  // namespace sgl
