// Builds the tables of one ValueIndex from the atoms that its rules stand
// under.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_VALUE_TABLES_H_
#define POLICY_COMPILE_VALUE_TABLES_H_

#include <cstdint>
#include <vector>

#include "policy/compile/access.h"
#include "policy/compile/index.h"
#include "policy/compile/program.h"

namespace sgl {

// A rule's cell and one of the atoms that it is found by.
struct TableEntry {
  const Atom* atom = nullptr;
  uint32_t cell = 0;
};

// Fills in what the index's kind needs, and `all` and `unguarded`. Lists go to
// `lists`, each in the order of `entries`. Returns false where the regexes of
// the index are too large for one automaton; the index is then not to be used.
bool FillTables(const DecisionProgram& program,
                const std::vector<TableEntry>& entries, ValueIndex& index,
                std::vector<uint32_t>& lists);

// Compiles the regexes of these atoms into one automaton, numbered in their
// order. Returns null where it grows too large.
std::unique_ptr<const RE2::Set> MakeRegexSet(
    const DecisionProgram& program, const std::vector<int32_t>& regexes,
    bool ignores_case);

}  // namespace sgl

#endif  // POLICY_COMPILE_VALUE_TABLES_H_
