// What must hold for a condition to be true, in terms that an index can look
// up: comparisons of one value with constants.
//
// An access set is sufficient to leave a rule out: where every atom of the set
// fails, the condition is certainly false, in three-valued logic. An atom
// fails where its value is there and the comparison is false; also where the
// value is missing, if the atom is guarded. A value that is a fault fails no
// atom.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_ACCESS_H_
#define POLICY_COMPILE_ACCESS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/compile/index.h"
#include "policy/compile/program.h"

namespace sgl {

struct Atom {
  IndexKind kind = IndexKind::kNumbers;
  // The instruction whose value is compared.
  int32_t subject = 0;
  bool is_guarded = false;
  std::vector<int64_t> numbers;    // kNumbers: it is one of these
  std::vector<std::string> texts;  // kTexts: likewise; kPrefixes: the one
  int64_t low = INT64_MIN;         // kRanges
  int64_t high = INT64_MAX;
  int32_t regex = -1;    // kRegexes: into DecisionProgram::regexes
  int32_t matches = -1;  // kRegexes: the instruction that matches
};

// Nothing: the condition names no such atoms. Empty: it is never true.
using AccessSet = std::optional<std::vector<Atom>>;

// Finds access sets for the rules of one group. An atom is the better the more
// different constants of its kind the group's rules compare its value with:
// then few rules are left for each.
class AccessFinder {
 public:
  // For requests of one type, or of any type where `type_or_null` is null.
  AccessFinder(const DecisionProgram& program, const std::string* type_or_null)
      : program_(program), type_or_null_(type_or_null) {}

  // Takes note of a condition's atoms. Do so for all rules of the group first.
  void Count(int32_t condition);

  // Returns the set that is expected to be met least often.
  AccessSet Find(int32_t condition);

  // Returns the types outside of which the condition is certainly false;
  // nothing where it says nothing of `intent.type`.
  std::optional<std::vector<std::string>> Types(int32_t condition);

  // Finds no more atoms of this kind on this value.
  void Ban(int32_t subject, IndexKind kind) { banned_.insert({subject, kind}); }

  // Returns how often, of 1, requests are expected to meet one of the atoms.
  double Weight(const std::vector<Atom>& atoms) const;

 private:
  struct Constants {
    absl::flat_hash_set<uint64_t> hashes;
  };

  AccessSet Walk(int32_t id, bool is_negated);
  // What is left of a leaf's atom: it may be banned or be known of the type.
  AccessSet Settle(AccessSet set);
  AccessSet WalkBest(const Instruction& junction, bool is_negated);
  AccessSet WalkAll(const Instruction& junction, bool is_negated);
  AccessSet Leaf(int32_t id, bool is_negated) const;
  AccessSet Comparison(const Instruction& instruction, bool is_negated) const;
  AccessSet Ordered(Code code, int32_t subject, int64_t bound) const;
  AccessSet Regex(int32_t id, const Instruction& instruction) const;
  double WeightOf(const Atom& atom) const;
  void Note(const Atom& atom);

  bool IsSubject(int32_t id) const;
  // The slot but for which the value is never missing; -1 where there is none.
  int32_t SlotOf(int32_t id) const;
  bool IsTypeAtom(const Atom& atom) const;

  const Instruction& get(int32_t id) const {
    return program_.instructions[static_cast<size_t>(id)];
  }
  int32_t child(const Instruction& instruction, int number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }

  const DecisionProgram& program_;
  const std::string* const type_or_null_;
  absl::flat_hash_set<std::pair<int32_t, IndexKind>> banned_;
  absl::flat_hash_map<std::pair<int32_t, IndexKind>, Constants> constants_;
  // Nodes left to walk: a condition of shared defs may stand for a far larger
  // tree.
  int budget_ = 0;
  bool is_counting_ = false;
  bool wants_types_ = false;
};

// Returns whether such an instruction may give a fault of its own. A missing
// value gives none that lasts: guards are checked.
bool MayFault(Code code);

// Returns what every text that the pattern matches begins with; empty where
// that can't be told.
std::string RequiredPrefix(const std::string& pattern);

}  // namespace sgl

#endif  // POLICY_COMPILE_ACCESS_H_
