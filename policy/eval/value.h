// A value while evaluating: 16 bytes, passed in registers, owning nothing.
//
// Internal to the policy layer, except that verdicts show values.

#ifndef POLICY_EVAL_VALUE_H_
#define POLICY_EVAL_VALUE_H_

#include <absl/strings/string_view.h>

#include <cstdint>

namespace sgl {

// Why something can't be computed.
enum class Fault : uint8_t {
  kNone,
  kMissing,
  kOverflow,
  kNotAUrl,
  // Nobody said what a limit counted before.
  kNoTotal,
};

// Numbers stand for bool, int, decimal, usd, times and enum members. A text is
// viewed where the request or the program holds it; none reaches 4 GiB, whose
// sizes `count` couldn't tell: payloads and policies are bounded far below. A
// list's items and a record's fields are `count` cells of Facts::cells from
// `first` on. Which of the three it is, is known to whoever reads it.
struct Value {
  enum class State : uint8_t { kUnset, kPresent, kMissing, kFault };

  union {
    int64_t number;
    const char* data;
    uint32_t first;
  };
  // Bytes of a text; items of a list; fields of a record.
  uint32_t count;
  State state;
  Fault fault;

  constexpr Value()
      : number(0), count(0), state(State::kUnset), fault(Fault::kNone) {}

  bool is_present() const { return state == State::kPresent; }
  absl::string_view text() const { return {data, count}; }

  static Value Number(int64_t number) {
    Value value;
    value.state = State::kPresent;
    value.number = number;
    return value;
  }
  static Value Text(absl::string_view text) {
    Value value;
    value.state = State::kPresent;
    value.data = text.data();
    value.count = static_cast<uint32_t>(text.size());
    return value;
  }
  // A list or a record.
  static Value Cells(uint32_t first, uint32_t count) {
    Value value;
    value.state = State::kPresent;
    value.first = first;
    value.count = count;
    return value;
  }
  static Value Missing() {
    Value value;
    value.state = State::kMissing;
    return value;
  }
  static Value Faulted(Fault fault) {
    Value value;
    value.state = State::kFault;
    value.fault = fault;
    return value;
  }
};

static_assert(sizeof(Value) == 16);

}  // namespace sgl

#endif  // POLICY_EVAL_VALUE_H_
