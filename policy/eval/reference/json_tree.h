// JSON text as a tree, read the plain way. The reference evaluator's own
// reader: it shares nothing with policy/eval/json, so that one checks the
// other.
//
// Internal to the reference evaluator and its tests.

#ifndef POLICY_EVAL_REFERENCE_JSON_TREE_H_
#define POLICY_EVAL_REFERENCE_JSON_TREE_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sgl::reference {

struct JsonTree {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject, kNan };

  Kind kind = Kind::kNull;
  bool boolean = false;
  // A string's unescaped text; a number as it is spelled.
  std::string text;
  // Items of an array, or values of an object; those whose key came before
  // are there too.
  std::vector<JsonTree> items;
  // Of an object: the key of each item.
  std::vector<std::string> keys;
  // The bytes of the text that the value takes.
  size_t begin = 0;
  size_t end = 0;

  // Returns the first value of this key, or null.
  const JsonTree* Find(absl::string_view key) const;
};

// Returns the one JSON value that fills the text; a bare `NaN` counts as a
// value. Nothing for any other text, bad UTF-8, and more than 1,000 levels.
std::optional<JsonTree> ReadJsonTree(absl::string_view text);

}  // namespace sgl::reference

#endif  // POLICY_EVAL_REFERENCE_JSON_TREE_H_
