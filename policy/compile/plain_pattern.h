// Regexes that need no automaton: an anchor, then one literal or class of
// ASCII behind the other, and perhaps the end of the text.
//
//   /^INV-[A-Z][0-9]{4}$/    prefix `INV-`, tail `[A-Z][0-9][0-9][0-9][0-9]`,
//   end
//
// Most regexes of large policies are like that: names and numbers with a form.
// They are matched in place, where an automaton of RE2 costs some hundred
// nanoseconds and, one for each rule, the cache.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_PLAIN_PATTERN_H_
#define POLICY_COMPILE_PLAIN_PATTERN_H_

#include <absl/strings/string_view.h>

#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sgl {

// The ASCII bytes that may stand at one place.
using ByteClass = std::bitset<128>;

// Returns the lowest byte of a class. REQUIRES: it is not empty.
inline char FirstByte(const ByteClass& members) {
  const ByteClass low = members & ByteClass(~uint64_t{0});
  const int first =
      low.any() ? std::countr_zero(uint64_t{low.to_ullong()})
                : 64 + std::countr_zero(uint64_t{(members >> 64).to_ullong()});
  return static_cast<char>(first);
}

// What stands behind the prefix. Rules with equal tails share one.
struct PatternTail {
  std::vector<ByteClass> classes;  // one byte each
  bool is_end = false;             // nothing may follow

  bool operator==(const PatternTail&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const PatternTail& tail) {
    for (const ByteClass& members : tail.classes) {
      state = H::combine(std::move(state), std::hash<ByteClass>()(members));
    }
    return H::combine(std::move(state), tail.classes.size(), tail.is_end);
  }

  // Returns whether a text behind the prefix goes on as the pattern wants.
  bool Matches(absl::string_view rest) const {
    if (rest.size() < classes.size()) return false;
    if (is_end && rest.size() != classes.size()) return false;
    for (size_t i = 0; i < classes.size(); ++i) {
      const unsigned char byte = static_cast<unsigned char>(rest[i]);
      if (byte >= 128 || !classes[i][byte]) return false;
    }
    return true;
  }
};

struct PlainPattern {
  std::string prefix;
  PatternTail tail;

  // Returns whether a text begins with a match.
  bool Matches(absl::string_view text) const {
    return text.substr(0, prefix.size()) == prefix &&
           tail.Matches(text.substr(prefix.size()));
  }
};

// Returns a case-sensitive pattern of RE2 in this form, or nothing where it has
// another. Both match the same texts.
std::optional<PlainPattern> ReadPlainPattern(absl::string_view pattern);

}  // namespace sgl

#endif  // POLICY_COMPILE_PLAIN_PATTERN_H_
