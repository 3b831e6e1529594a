#include "policy/eval/json.h"

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <simdjson.h>

#include <utility>

#include "base/check.h"

namespace sgl {

namespace ondemand = simdjson::ondemand;

absl::string_view JsonKindPhrase(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBool:
      return "a boolean";
    case JsonKind::kNumber:
      return "a number";
    case JsonKind::kString:
      return "a string";
    case JsonKind::kArray:
      return "a list";
    case JsonKind::kObject:
      return "an object";
    case JsonKind::kNotANumber:
      return "NaN";
  }
  return "";
}

// The text with simdjson's padding, and the parser that owns the unescaped
// strings.
struct JsonDocument::Buffers {
  std::string padded;
  ondemand::parser parser;
};

JsonDocument::JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

const JsonNode* JsonDocument::Find(const JsonNode& object,
                                   absl::string_view key) const {
  const JsonNode* child = FirstChild(object);
  for (uint32_t i = 0; i < object.size; ++i, child = NextChild(*child)) {
    if (child->key == key) return child;
  }
  return nullptr;
}

namespace {

bool IsWord(absl::string_view text) {
  if (text.empty() || absl::ascii_isdigit(text.front())) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_') return false;
  }
  return true;
}

}  // namespace

std::string JsonDocument::PathOf(const JsonNode& base, absl::string_view prefix,
                                 const JsonNode& node) const {
  std::string path(prefix);
  const JsonNode* at = &base;
  while (at != &node) {
    const JsonNode* child = FirstChild(*at);
    uint32_t position = 0;
    while (NextChild(*child) <= &node) {
      child = NextChild(*child);
      ++position;
    }
    SGL_CHECK_LT(position, at->size);
    if (at->kind == JsonKind::kArray) {
      absl::StrAppend(&path, "[", position, "]");
    } else {
      AppendPathStep(child->key, &path);
    }
    at = child;
  }
  return path;
}

namespace {

// Returns where the first byte stands that is no part of valid UTF-8.
size_t FirstBadUtf8(absl::string_view text) {
  size_t good = 0;
  while (good < text.size()) {
    size_t length = 1;
    while (length <= 4 && good + length <= text.size() &&
           !simdjson::validate_utf8(text.data() + good, length)) {
      ++length;
    }
    if (length > 4 || good + length > text.size()) return good;
    good += length;
  }
  return good;
}

}  // namespace

bool IsJsonNumber(absl::string_view token) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < token.size() && absl::ascii_isdigit(token[at])) ++at;
    return at - start;
  };
  if (at < token.size() && token[at] == '-') ++at;
  const bool leading_zero = at < token.size() && token[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == token.size();
}

// Walks one document. Confined to one ParseJson call.
class JsonWalker {
 public:
  JsonWalker(absl::string_view text, int depth_max)
      : text_(text), depth_max_(depth_max) {}

  absl::StatusOr<JsonDocument> Walk();

 private:
  bool WalkObject(ondemand::object object, uint32_t index, int depth);
  bool WalkArray(ondemand::array array, uint32_t index, int depth);
  // Appends the value and all inside it. `key` views the parser's strings.
  bool WalkValue(ondemand::value value, absl::string_view key, bool duplicate,
                 int depth);
  bool AddScalar(absl::string_view token, uint32_t index);
  void Close(uint32_t index, const char* begin);

  // Records what is wrong at `where`, of the padded copy, once.
  bool Fail(absl::string_view what, const char* where);
  bool FailHere(absl::string_view what);

  size_t OffsetOf(const char* where) const {
    return static_cast<size_t>(where - document_.buffers_->padded.data());
  }

  absl::string_view text_;
  int depth_max_;
  JsonDocument document_;
  ondemand::document parsed_;
  absl::Status status_;
};

bool JsonWalker::Fail(absl::string_view what, const char* where) {
  if (status_.ok()) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(what, " at byte ", OffsetOf(where)));
  }
  return false;
}

bool JsonWalker::FailHere(absl::string_view what) {
  const char* where = nullptr;
  if (parsed_.current_location().get(where) != simdjson::SUCCESS) {
    where = document_.buffers_->padded.data() + text_.size();
  }
  return Fail(what, where);
}

absl::StatusOr<JsonDocument> JsonWalker::Walk() {
  document_.buffers_ = std::make_unique<JsonDocument::Buffers>();
  std::string& padded = document_.buffers_->padded;
  padded.reserve(text_.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(text_.data(), text_.size());
  const simdjson::error_code error =
      document_.buffers_->parser
          .iterate(padded.data(), padded.size(), padded.capacity())
          .get(parsed_);
  if (error == simdjson::UTF8_ERROR) {
    return absl::InvalidArgumentError(
        absl::StrCat("not UTF-8 at byte ", FirstBadUtf8(text_)));
  }
  if (error == simdjson::UNCLOSED_STRING) {
    return absl::InvalidArgumentError("not JSON: a string is not closed");
  }
  if (error == simdjson::UNESCAPED_CHARS) {
    return absl::InvalidArgumentError(
        "not JSON: a control character stands unescaped in a string");
  }
  if (error != simdjson::SUCCESS) {
    return absl::InvalidArgumentError("not JSON: no value");
  }
  JsonNode root;
  document_.nodes_.push_back(root);
  ondemand::object object;
  ondemand::array array;
  bool good = false;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text_);
  const char first = trimmed.empty() ? ' ' : trimmed.front();
  const char* const begin =
      padded.data() + (trimmed.empty() ? 0 : trimmed.data() - text_.data());
  if (first == '{') {
    if (parsed_.get_object().get(object) != simdjson::SUCCESS) {
      return absl::InvalidArgumentError(
          "not JSON: the text does not end with its object's `}`");
    }
    good = WalkObject(object, 0, 1);
  } else if (first == '[') {
    if (parsed_.get_array().get(array) != simdjson::SUCCESS) {
      return absl::InvalidArgumentError(
          "not JSON: the text does not end with its list's `]`");
    }
    good = WalkArray(array, 0, 1);
  } else {
    return absl::InvalidArgumentError("not a JSON object");
  }
  const char* rest = nullptr;
  if (good && parsed_.current_location().get(rest) == simdjson::SUCCESS) {
    FailHere("not JSON: more text stands behind the end");
  }
  if (!status_.ok()) return status_;
  document_.nodes_[0].text = absl::string_view(begin, trimmed.size());
  document_.nodes_[0].end = static_cast<uint32_t>(document_.nodes_.size());
  return std::move(document_);
}

bool JsonWalker::WalkObject(ondemand::object object, uint32_t index,
                            int depth) {
  document_.nodes_[index].kind = JsonKind::kObject;
  // A plain search is faster for the few members that objects mostly have.
  constexpr uint32_t kSearchedPlainly = 16;
  absl::flat_hash_set<absl::string_view> keys;
  uint32_t size = 0;
  for (simdjson::simdjson_result<ondemand::field> result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) {
      return FailHere("not JSON: no `\"key\": value`");
    }
    std::string_view unescaped;  // NOLINT: simdjson's own type.
    if (field.unescaped_key().get(unescaped) != simdjson::SUCCESS ||
        !simdjson::validate_utf8(unescaped.data(), unescaped.size())) {
      return FailHere("not JSON: a key with a broken escape");
    }
    const absl::string_view key(unescaped.data(), unescaped.size());
    bool duplicate = false;
    if (size < kSearchedPlainly) {
      const JsonNode& node = document_.nodes_[index];
      const JsonNode* child = &node + 1;
      for (uint32_t i = 0; i < size && !duplicate; ++i) {
        duplicate = child->key == key;
        child = document_.nodes_.data() + child->end;
      }
    }
    if (size + 1 >= kSearchedPlainly) {
      if (keys.empty()) {
        const JsonNode* child = document_.nodes_.data() + index + 1;
        for (uint32_t i = 0; i < size; ++i) {
          keys.insert(child->key);
          child = document_.nodes_.data() + child->end;
        }
      }
      duplicate = !keys.insert(key).second;
    }
    ++size;
    if (!WalkValue(field.value(), key, duplicate, depth)) return false;
  }
  document_.nodes_[index].size = size;
  return true;
}

bool JsonWalker::WalkArray(ondemand::array array, uint32_t index, int depth) {
  document_.nodes_[index].kind = JsonKind::kArray;
  uint32_t size = 0;
  for (simdjson::simdjson_result<ondemand::value> result : array) {
    ondemand::value value;
    if (std::move(result).get(value) != simdjson::SUCCESS) {
      return FailHere("not JSON: a list without `,` or `]`");
    }
    ++size;
    if (!WalkValue(value, absl::string_view(), false, depth)) return false;
  }
  document_.nodes_[index].size = size;
  return true;
}

bool JsonWalker::WalkValue(ondemand::value value, absl::string_view key,
                           bool duplicate, int depth) {
  const uint32_t index = static_cast<uint32_t>(document_.nodes_.size());
  JsonNode node;
  node.key = key;
  node.is_duplicate = duplicate;
  document_.nodes_.push_back(node);
  std::string_view raw = value.raw_json_token();  // NOLINT
  const char* const begin = raw.data();
  const char first = raw.empty() ? '\0' : raw.front();
  if ((first == '{' || first == '[') && depth == depth_max_) {
    return Fail(absl::StrCat("nested over ", depth_max_, " deep"), begin);
  }
  switch (first) {
    case '{': {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) {
        return FailHere("not JSON: a broken object");
      }
      if (!WalkObject(object, index, depth + 1)) return false;
      Close(index, begin);
      return true;
    }
    case '[': {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) {
        return FailHere("not JSON: a broken list");
      }
      if (!WalkArray(array, index, depth + 1)) return false;
      Close(index, begin);
      return true;
    }
    case '"': {
      std::string_view text;  // NOLINT
      if (value.get_string().get(text) != simdjson::SUCCESS ||
          !simdjson::validate_utf8(text.data(), text.size())) {
        return Fail("not JSON: a string with a broken escape", begin);
      }
      document_.nodes_[index].kind = JsonKind::kString;
      document_.nodes_[index].text =
          absl::string_view(text.data(), text.size());
      document_.nodes_[index].end = index + 1;
      return true;
    }
    default:
      return AddScalar(absl::StripTrailingAsciiWhitespace(
                           absl::string_view(raw.data(), raw.size())),
                       index);
  }
}

bool JsonWalker::AddScalar(absl::string_view token, uint32_t index) {
  JsonNode& node = document_.nodes_[index];
  node.end = index + 1;
  node.text = token;
  if (token == "null") {
    node.kind = JsonKind::kNull;
  } else if (token == "true" || token == "false") {
    node.kind = JsonKind::kBool;
    node.boolean = token == "true";
  } else if (IsJsonNumber(token)) {
    node.kind = JsonKind::kNumber;
  } else if (token == "NaN") {
    node.kind = JsonKind::kNotANumber;
  } else {
    return Fail("not JSON: no value", token.data());
  }
  return true;
}

void JsonWalker::Close(uint32_t index, const char* begin) {
  JsonNode& node = document_.nodes_[index];
  node.end = static_cast<uint32_t>(document_.nodes_.size());
  // Only spaces stand between the end of a value and the next token.
  const char* next = nullptr;
  const simdjson::error_code error = parsed_.current_location().get(next);
  if (error != simdjson::SUCCESS) {
    next = document_.buffers_->padded.data() + text_.size();
  }
  node.text = absl::StripTrailingAsciiWhitespace(
      absl::string_view(begin, static_cast<size_t>(next - begin)));
}

absl::StatusOr<JsonDocument> ParseJson(absl::string_view text, int depth_max) {
  // simdjson counts in 32 bits.
  constexpr size_t kTextBytesMax = size_t{1} << 30;
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError("over 1 GiB of text");
  }
  return JsonWalker(text, depth_max).Walk();
}

void AppendPathStep(absl::string_view name, std::string* path) {
  if (IsWord(name)) {
    absl::StrAppend(path, ".", name);
    return;
  }
  path->push_back('[');
  AppendJsonString(name, path);
  path->push_back(']');
}

void AppendJsonString(absl::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (c == '\t') {
      out->append("\\t");
    } else if (c == '\r') {
      out->append("\\r");
    } else if (byte < 0x20 || byte == 0x7f) {
      out->append("\\u00");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace sgl
