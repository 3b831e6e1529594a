// A request made of values, without JSON: what the self-check decides.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_SAMPLE_REQUEST_H_
#define POLICY_EVAL_SAMPLE_REQUEST_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "policy/compile/program.h"
#include "policy/eval/facts.h"
#include "policy/eval/request.h"
#include "policy/eval/value.h"

namespace sgl {

// Facts that can be set one by one. Only such as a decoded request can have: a
// required field is never missing, an enum is one of its members.
class SampleRequest {
 public:
  explicit SampleRequest(const DecisionProgram& program);
  SampleRequest(const SampleRequest&) = delete;
  SampleRequest& operator=(const SampleRequest&) = delete;

  // Starts a request of this type in this layer, all values empty. A negative
  // type is one that no rule names.
  void Start(int32_t type, int32_t layer);

  // Each sets what `instruction` reads, where it reads a slot or a fixed fact
  // and the value fits. Returns whether it did.
  bool SetNumber(int32_t instruction, int64_t number);
  bool SetText(int32_t instruction, absl::string_view text);
  // Leaves out the innermost optional part of the slot's path, and with it all
  // that the part holds.
  bool SetMissing(int32_t slot);

  const Facts& facts() const { return facts_; }

  // Returns what was set, as people read it.
  std::string Describe() const;

 private:
  // What was set: by an instruction, or else a slot.
  struct Set {
    int32_t instruction = -1;
    int32_t slot = -1;
    Value value;
  };

  void AddShape(const ProgramShape& shape);
  void SetEmpty(int32_t slot);
  bool IsDeclared(int32_t slot) const {
    return optional_names_[static_cast<size_t>(slot)] >= 0;
  }
  bool SetFixedNumber(int32_t field, int64_t number);
  bool SetFixedText(int32_t field, absl::string_view text);
  void Note(const Set& set);

  const DecisionProgram& program_;
  std::vector<TypeId> slot_types_;  // kErrorType: no instruction reads it
  std::vector<const std::string*> type_names_;
  // Of the type at hand: the slots that it declares, and by slot how many of
  // its names lead to what may be missing; 0 where nothing may, -1 where the
  // type does not declare it.
  std::vector<int32_t> declared_slots_;
  std::vector<int32_t> optional_names_;
  Request request_;
  Facts facts_;
  std::deque<std::string> texts_;
  std::vector<Set> set_;
};

}  // namespace sgl

#endif  // POLICY_EVAL_SAMPLE_REQUEST_H_
