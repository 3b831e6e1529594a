// The tokens before a cursor, and what they say of it: which item and clause
// it stands in, which path leads to it.

#ifndef TOOLS_SGL_LSP_CURSOR_H_
#define TOOLS_SGL_LSP_CURSOR_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/lex/lexer.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"

namespace sgl::tools {

// Borrows the sources.
class Cursor {
 public:
  Cursor(const SourceSet& sources, FileId file, int32_t byte);

  // Returns whether nothing can be offered: in a comment, a text or a regex.
  bool is_closed() const { return is_closed_; }

  // The word or quoted name at the cursor, empty where there is none. It goes
  // when a candidate comes.
  Span typed() const { return typed_; }
  bool is_quoted() const { return is_quoted_; }

  // Returns whether only blanks stand left of `typed` on its line.
  bool starts_line() const { return starts_line_; }

  // The tokens of the item up to the cursor, its keyword first. Before the
  // first item: those of the file's head.
  int size() const { return static_cast<int>(tokens_.size()); }
  const Token& at(int number) const {
    return tokens_[static_cast<size_t>(number)];
  }
  bool IsWord(int number, absl::string_view word) const;
  bool IsKind(int number, TokenKind kind) const;
  // Returns the word at a place; empty for anything else.
  absl::string_view WordAt(int number) const;

  // Returns whether an item, a clause or an operator can follow a token.
  bool EndsOperand(int number) const;

  // Returns how many brackets are open at the cursor.
  int depth() const { return static_cast<int>(open_.size()); }
  // Returns where the innermost open bracket stands, or -1.
  int innermost() const { return open_.empty() ? -1 : open_.back(); }

  // Returns the last clause's keyword (`on`, `when`, …) outside brackets, or
  // an empty word.
  absl::string_view clause() const { return clause_; }

  // Returns the names that the item is `on`, and whether it has an `on`.
  std::vector<Name> OnNames(bool* has_on) const;

  // Returns the names of the path that ends at a token: `payload`, `memo`.
  // Empty where none does. `begin` is where it begins.
  std::vector<std::string> PathAt(int last, int* begin) const;

 private:
  bool IsItemStart(int number) const;
  void TakeTyped(const SourceSet& sources, int32_t byte);
  void EnterText(const SourceSet& sources, int32_t byte);
  void FindClause();

  std::vector<Token> tokens_;
  std::vector<int> open_;
  absl::string_view clause_;
  Span typed_;
  bool is_quoted_ = false;
  bool is_closed_ = false;
  bool starts_line_ = false;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_CURSOR_H_
