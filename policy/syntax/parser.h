// The parser: one file's text in, its Ast out. It recovers at the next clause,
// bracket or item, so that one mistake is one error and the rest of the file
// is still read.
//
// The whole grammar is in docs/sgl.md. Expressions are read by precedence
// climbing; nesting is bounded by kNestingMax.

#ifndef POLICY_SYNTAX_PARSER_H_
#define POLICY_SYNTAX_PARSER_H_

#include <absl/strings/string_view.h>

#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"

namespace sgl {

// Parses a file of the set.
Ast Parse(const SourceSet& sources, FileId file, Diagnostics& diagnostics);

// Returns whether a word may not name a const, def, variable or enum member:
// the roots, `true`, `false` and the operators.
bool IsReservedWord(absl::string_view word);

}  // namespace sgl

#endif  // POLICY_SYNTAX_PARSER_H_
