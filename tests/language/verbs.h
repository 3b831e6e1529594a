// What the verbs of the golden files do.
//
//   policy [NAME]   adds a file, `case` by default, to the set that the next
//                   `eval` blocks use; prints its diagnostics, if any. The
//                   first one after an `eval` begins a new set.
//   check [NAME]    checks its input as a set of one file; prints the
//                   diagnostics, or `ok`.
//   eval [FORM]     decides request lines by the set; prints decision lines
//                   without the members `policy` and `tzdata`, which change
//                   with every comment. The form `full` keeps them, `brief`
//                   says the same in words, without messages and places.
//   test [coverage] runs the set's `test` blocks and asserts, as `sgl test`
//                   does; its input is empty.
//   explain [FORM]  explains request lines by the set, as `sgl explain` does;
//                   the form `json` prints lines of JSON, without the members
//                   that change with every comment.

#ifndef TESTS_LANGUAGE_VERBS_H_
#define TESTS_LANGUAGE_VERBS_H_

#include <string>
#include <vector>

#include "policy/policy.h"
#include "tests/language/golden.h"

namespace sgl::tests {

// What the blocks of one file leave for those behind them.
struct VerbState {
  std::vector<SourceFile> sources;
  bool is_set_used = false;
};

// Returns what the block prints.
std::string RunVerb(const GoldenBlock& block, VerbState& state);

}  // namespace sgl::tests

#endif  // TESTS_LANGUAGE_VERBS_H_
