// What could be changed about a request, and to what: the candidates for the
// smallest change that gives a milder decision (policy/eval/explain_change.h).
//
// They come from conditions: the constants that a field is compared with and
// their neighbours, the members of its enum, the other bool, leaving it out.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_EXPLAIN_CANDIDATES_H_
#define POLICY_EVAL_EXPLAIN_CANDIDATES_H_

#include <absl/container/flat_hash_set.h>
#include <absl/numeric/int128.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/compile/program.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/facts.h"
#include "policy/eval/limits.h"
#include "policy/eval/payload_edit.h"

namespace sgl {

// Items of a list whose fields are candidates.
inline constexpr uint32_t kChangedItemsMax = 50;

// A place of the request that can be changed: a payload path where `path` is
// not empty, an integration where `provider` is set, else a fixed field.
struct ChangePlace {
  RootField field = RootField::kNow;
  std::vector<PayloadStep> path;
  std::optional<std::string> provider;
  std::string name;
  TypeId type = kErrorType;
  Value value;  // as it stands
};

// How far a change goes; smaller first: a value that the policy names or the
// one beside it, leaving the field out, the least step away, an empty text.
enum class ChangeKind : uint8_t { kNamed, kAbsent, kFine, kEmpty };

// One change to try.
struct Change {
  int origin = 0;  // 0 the intent, 1 its surroundings, 2 the time
  ChangeKind kind = ChangeKind::kNamed;
  int64_t distance = 0;
  size_t place = 0;  // into CandidateFinder::places()
  bool is_absent = false;
  int64_t number = 0;
  std::string text;

  // Smaller changes come first; no two different ones are equal.
  auto Rank() const {
    return std::tie(origin, kind, distance, place, is_absent, number, text);
  }
};

// Gathers candidates. Confined to one search; views program and facts.
class CandidateFinder {
 public:
  CandidateFinder(const DecisionProgram& program, const Facts& facts,
                  Evaluator& evaluator)
      : program_(program),
        facts_(facts),
        evaluator_(evaluator),
        lists_(static_cast<size_t>(program.variable_count), -1) {}

  // Adds what the rule's condition says.
  void AddRule(const ProgramRule& rule);
  // Adds the spend that would have stayed below a limit.
  void AddDraw(const LimitDraw& draw);

  // Returns the candidates, smallest change first.
  std::vector<Change> TakeChanges();

  const std::vector<ChangePlace>& places() const { return places_; }

 private:
  void Visit(int32_t id);
  void VisitComparison(const Instruction& instruction);
  // The places that an operand reads; looks through `??` and `lower`.
  std::vector<size_t> PlacesOf(int32_t id);
  std::vector<size_t> VariablePlaces(const Instruction& instruction);
  size_t AddPlace(ChangePlace place);
  size_t FixedPlace(RootField field);
  // What any place can be: other members, the other bool, absent, empty.
  void AddPlain(size_t place);
  void AddConstant(size_t place, const Value& constant);
  void AddNumber(size_t place, ChangeKind kind, absl::int128 number);
  void AddText(size_t place, absl::string_view text);
  void AddHours(size_t place);
  void Add(size_t place, Change change);

  const Instruction& get(int32_t id) const {
    return program_.instructions[static_cast<size_t>(id)];
  }
  int32_t Child(const Instruction& instruction, int32_t number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }
  TypeKind KindOf(const ChangePlace& place) const {
    return program_.types.kind(place.type);
  }

  const DecisionProgram& program_;
  const Facts& facts_;
  Evaluator& evaluator_;
  absl::flat_hash_set<int32_t> visited_;
  // The payload slot that each loop around walks; negative for another list.
  std::vector<int32_t> lists_;
  std::vector<ChangePlace> places_;
  std::vector<Change> changes_;
};

}  // namespace sgl

#endif  // POLICY_EVAL_EXPLAIN_CANDIDATES_H_
