// Every name of a file, what it is, and where that is declared: what hover, go
// to definition and rename look up.

#ifndef TOOLS_SGL_LSP_SYMBOLS_H_
#define TOOLS_SGL_LSP_SYMBOLS_H_

#include <string>
#include <vector>

#include "policy/source/source.h"
#include "policy/syntax/ast.h"
#include "tools/sgl/lsp/analysis.h"
#include "tools/sgl/lsp/scope.h"

namespace sgl::tools {

enum class SymbolKind {
  kConst,
  kDef,
  kType,
  kVariable,
  kField,  // declared by an intent
  kRoot,   // `agent`, or a field of one: `agent.tier`
  kFunction,
  kCode,  // of a rule or limit
  kName,  // a bare word that is none of these: a symbol
};

// One name where it stands. Borrows the analysis.
struct Symbol {
  SymbolKind kind = SymbolKind::kName;
  Span span;
  std::string name;  // of a root's field with its root: `agent.tier`
  std::vector<Span> declarations;
  const BindingSyntax* binding = nullptr;  // kConst, kDef
  std::vector<TypeDeclaration> types;      // kType
  FieldDeclarations fields;                // kField; of kVariable its list
};

// Returns the names of a file that the parser could read, in no order.
std::vector<Symbol> CollectSymbols(const Analysis& analysis, FileId file);

// Returns the symbol at a byte, or right before it; null where there is none.
const Symbol* FindSymbol(const std::vector<Symbol>& symbols, int32_t byte);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_SYMBOLS_H_
