// JSON text as a flat list of nodes: every value, every key and every number
// checked, nothing converted.
//
// Sits between bytes and the request decoder. simdjson's On-Demand API finds
// and unescapes; what it skips it does not check, so the whole text is walked.
// Numbers stay text, because a double would make two amounts one. Two things
// are kept rather than refused, since a decision and not an error comes of
// them: a key that its object has already, and a bare `NaN`.
//
//   absl::StatusOr<JsonDocument> document = ParseJson(text, kDepthMax);
//   if (document.ok()) Use(document->nodes());
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_JSON_H_
#define POLICY_EVAL_JSON_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sgl {

enum class JsonKind : uint8_t {
  kNull,
  kBool,
  kNumber,
  kString,
  kArray,
  kObject,
  // A bare `NaN`, which is no JSON.
  kNotANumber,
};

// Returns a phrase for messages: `a string`, `an object`.
absl::string_view JsonKindPhrase(JsonKind kind);

struct JsonNode {
  JsonKind kind = JsonKind::kNull;
  // The value of a kBool.
  bool boolean = false;
  // For a member of an object: the object has an earlier one with this key.
  bool is_duplicate = false;
  // One past the last node inside this one. Its children start right behind
  // it, each where the one before it ends.
  uint32_t end = 0;
  // How many members or items an object or array has.
  uint32_t size = 0;
  // The unescaped key, where the node is a member of an object.
  absl::string_view key;
  // kString: the unescaped text. Else the text as it stands in the source.
  absl::string_view text;
};

// One parsed text. Owns copies of all text that its nodes view. Movable;
// immutable after parsing.
class JsonDocument {
 public:
  JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  // In order of the text; the first is the whole document.
  const std::vector<JsonNode>& nodes() const { return nodes_; }
  const JsonNode& root() const { return nodes_.front(); }

  // Returns the member of `object` with this key, the first of its name, or
  // null. REQUIRES: `object` is a node of this document.
  const JsonNode* Find(const JsonNode& object, absl::string_view key) const;

  // Returns the path of a node below `base`, which stands for `prefix`:
  // `payload.lines[2].amount`; keys that are no words are quoted.
  std::string PathOf(const JsonNode& base, absl::string_view prefix,
                     const JsonNode& node) const;

  // Returns the first child of `node`, and the one after `child`.
  static const JsonNode* FirstChild(const JsonNode& node) { return &node + 1; }
  const JsonNode* NextChild(const JsonNode& child) const {
    return nodes_.data() + child.end;
  }

 private:
  friend class JsonWalker;
  struct Buffers;

  std::unique_ptr<Buffers> buffers_;
  std::vector<JsonNode> nodes_;
};

// Parses one JSON value that fills the text. INVALID_ARGUMENT where it is no
// JSON, no UTF-8, or nested more than `depth_max` deep (an object in an object
// is 2 deep); the message says what and at which byte.
absl::StatusOr<JsonDocument> ParseJson(absl::string_view text, int depth_max);

// Returns whether the token is a number as RFC 8259 spells it.
bool IsJsonNumber(absl::string_view token);

// Appends a member's name to a path: `.name`, or `["a name"]` for no word.
void AppendPathStep(absl::string_view name, std::string* path);

// Appends `text` as a JSON string, quotes included.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace sgl

#endif  // POLICY_EVAL_JSON_H_
