// Which values something may have: a set of numbers, as intervals, or a set of
// texts, or all texts but some. What the checker's warnings reason with.
// Internal to policy/check.
//
//   ValueSet over = ValueSet::Between(10, INT64_MAX);   // tier >= 10
//   ValueSet under = ValueSet::Between(INT64_MIN, 5);   // tier <= 5
//   over.Meet(under).is_empty();                        // never both
//
// Every operation is exact: no rounding outwards or inwards. Whoever wants to
// bound the work bounds the sizes that go in.

#ifndef POLICY_CHECK_VALUE_SET_H_
#define POLICY_CHECK_VALUE_SET_H_

#include <absl/container/inlined_vector.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace sgl {

// A value type. Texts are views into the CheckedPolicy that they came from.
// Sets that meet, join or are compared are both of numbers or both of texts.
//
// INVARIANT: intervals ascend, and a gap of at least one number lies between
// two of them; texts ascend without duplicates. So equal sets are equal.
class ValueSet {
 public:
  // Most sets are one interval or one text: those need no memory of their own.
  using TextList = absl::InlinedVector<absl::string_view, 1>;

  // Holds every number.
  static ValueSet AllNumbers();
  // Holds low..high; nothing where low is above high.
  static ValueSet Between(int64_t low, int64_t high);
  static ValueSet Number(int64_t number) { return Between(number, number); }
  // REQUIRES: the numbers ascend without duplicates.
  static ValueSet Numbers(const std::vector<int64_t>& numbers);
  static ValueSet AllTexts();
  static ValueSet Text(absl::string_view text);
  // REQUIRES: the texts ascend without duplicates.
  static ValueSet Texts(TextList texts);

  bool is_empty() const;
  bool is_text() const { return is_text_; }
  // Whether the set is one of texts, and they can be listed.
  bool is_listed() const { return is_text_ && !is_all_but_; }
  // How many intervals or texts describe it: what an operation costs.
  size_t size() const { return intervals_.size() + texts_.size(); }

  ValueSet Meet(const ValueSet& other) const;
  ValueSet Join(const ValueSet& other) const;
  ValueSet Complement() const;
  bool Holds(const ValueSet& other) const;

  // Removes the texts that `may_stay` refuses. REQUIRES: is_listed().
  void Keep(const std::function<bool(absl::string_view)>& may_stay);

  bool operator==(const ValueSet&) const = default;

 private:
  using Interval = std::pair<int64_t, int64_t>;  // both ends inside

  bool is_text_ = false;
  bool is_all_but_ = false;  // all texts but `texts_`
  absl::InlinedVector<Interval, 1> intervals_;
  TextList texts_;
};

}  // namespace sgl

#endif  // POLICY_CHECK_VALUE_SET_H_
