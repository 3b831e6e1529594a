// The syntax tree as text: one node a line, children indented, each with the
// bytes that it covers. For golden files and for looking at the parser's work.

#ifndef POLICY_SYNTAX_DUMP_H_
#define POLICY_SYNTAX_DUMP_H_

#include <string>

#include "policy/syntax/ast.h"

namespace sgl {

// Returns the items of a file by kind, with their expressions.
std::string DumpAst(const Ast& ast);

}  // namespace sgl

#endif  // POLICY_SYNTAX_DUMP_H_
