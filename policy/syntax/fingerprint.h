// All that a tree says, in one text, for tests: two files with one fingerprint
// mean the same. Places in the file, parentheses and the quotes of names are
// left out; all else is in.

#ifndef POLICY_SYNTAX_FINGERPRINT_H_
#define POLICY_SYNTAX_FINGERPRINT_H_

#include <string>

#include "policy/syntax/ast.h"

namespace sgl {

// Returns one line an item, in the order of kinds, then of the file.
// Expressions are in prefix form: `(12 (1 payload memo) (8 "x"))`, operators
// and types by the number of their kind.
std::string Fingerprint(const Ast& ast);

}  // namespace sgl

#endif  // POLICY_SYNTAX_FINGERPRINT_H_
