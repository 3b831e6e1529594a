#include "policy/check/value_set.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/check.h"

namespace sgl {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

using TextList = ValueSet::TextList;

TextList Both(const TextList& left, const TextList& right) {
  TextList both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::back_inserter(both));
  return both;
}

TextList Either(const TextList& left, const TextList& right) {
  TextList either;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(),
                 std::back_inserter(either));
  return either;
}

TextList Without(const TextList& left, const TextList& right) {
  TextList rest;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                      std::back_inserter(rest));
  return rest;
}

}  // namespace

ValueSet ValueSet::AllNumbers() { return Between(kLowest, kHighest); }

ValueSet ValueSet::Between(int64_t low, int64_t high) {
  ValueSet set;
  if (low <= high) set.intervals_.emplace_back(low, high);
  return set;
}

ValueSet ValueSet::Numbers(const std::vector<int64_t>& numbers) {
  ValueSet set;
  for (int64_t number : numbers) {
    if (!set.intervals_.empty() && set.intervals_.back().second + 1 == number) {
      set.intervals_.back().second = number;
    } else {
      set.intervals_.emplace_back(number, number);
    }
  }
  return set;
}

ValueSet ValueSet::AllTexts() {
  ValueSet set;
  set.is_text_ = true;
  set.is_all_but_ = true;
  return set;
}

ValueSet ValueSet::Text(absl::string_view text) { return Texts({text}); }

ValueSet ValueSet::Texts(TextList texts) {
  ValueSet set;
  set.is_text_ = true;
  set.texts_ = std::move(texts);
  return set;
}

bool ValueSet::is_empty() const {
  return is_text_ ? !is_all_but_ && texts_.empty() : intervals_.empty();
}

ValueSet ValueSet::Meet(const ValueSet& other) const {
  SGL_CHECK_EQ(is_text_, other.is_text_);
  ValueSet met;
  met.is_text_ = is_text_;
  if (is_text_) {
    met.is_all_but_ = is_all_but_ && other.is_all_but_;
    if (met.is_all_but_) {
      met.texts_ = Either(texts_, other.texts_);
    } else if (is_all_but_) {
      met.texts_ = Without(other.texts_, texts_);
    } else if (other.is_all_but_) {
      met.texts_ = Without(texts_, other.texts_);
    } else {
      met.texts_ = Both(texts_, other.texts_);
    }
    return met;
  }
  for (size_t i = 0, j = 0;
       i < intervals_.size() && j < other.intervals_.size();) {
    const Interval& left = intervals_[i];
    const Interval& right = other.intervals_[j];
    const int64_t low = std::max(left.first, right.first);
    const int64_t high = std::min(left.second, right.second);
    if (low <= high) met.intervals_.emplace_back(low, high);
    ++(left.second < right.second ? i : j);
  }
  return met;
}

ValueSet ValueSet::Join(const ValueSet& other) const {
  return Complement().Meet(other.Complement()).Complement();
}

ValueSet ValueSet::Complement() const {
  ValueSet rest;
  rest.is_text_ = is_text_;
  if (is_text_) {
    rest.is_all_but_ = !is_all_but_;
    rest.texts_ = texts_;
    return rest;
  }
  int64_t low = kLowest;
  for (const auto& [first, last] : intervals_) {
    if (low < first) rest.intervals_.emplace_back(low, first - 1);
    if (last == kHighest) return rest;
    low = last + 1;
  }
  rest.intervals_.emplace_back(low, kHighest);
  return rest;
}

bool ValueSet::Holds(const ValueSet& other) const {
  return other.Meet(Complement()).is_empty();
}

void ValueSet::Keep(const std::function<bool(absl::string_view)>& may_stay) {
  SGL_CHECK(is_listed());
  texts_.erase(std::remove_if(texts_.begin(), texts_.end(),
                              [&may_stay](absl::string_view text) {
                                return !may_stay(text);
                              }),
               texts_.end());
}

}  // namespace sgl
