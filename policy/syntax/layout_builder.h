// Builds the formatter's tree by walking the grammar over tokens that are
// known to parse. Internal to policy/syntax.
//
// Each function takes the tokens of one construct and returns its node. A
// token that has no place in the grammar would stand by itself; none is lost.

#ifndef POLICY_SYNTAX_LAYOUT_BUILDER_H_
#define POLICY_SYNTAX_LAYOUT_BUILDER_H_

#include <absl/container/flat_hash_set.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/syntax/layout.h"

namespace sgl {

class LayoutBuilder {
 public:
  LayoutBuilder(FormatTokens tokens, const Ast& ast);

  // Builds the whole file. Call once.
  LayoutTree Build();

 private:
  // Binary operators that lead their lines, loosest first.
  enum class Level : uint8_t { kOr, kAnd, kCoalesce, kSum, kProduct };

  // What a quoted name names: after `.` or before `:` any word may stand.
  enum class NameUse : uint8_t { kField, kOther, kOnType };

  // layout_builder.cc: tokens and nodes.
  const FormatToken& Peek(size_t ahead = 0) const;
  bool At(TokenKind kind, size_t ahead = 0) const {
    return Peek(ahead).kind == kind;
  }
  bool AtWord(absl::string_view word, size_t ahead = 0) const {
    return At(TokenKind::kWord, ahead) && Peek(ahead).text == word;
  }
  LayoutId Take();
  LayoutId TakeGlued() { return Glue(Take()); }
  LayoutId TakeName(NameUse use);
  LayoutId Glue(LayoutId id);
  LayoutId AddToken(FormatToken token);
  LayoutId AddNode(Layout layout, int32_t indent,
                   absl::Span<const LayoutId> children);
  LayoutId Run(absl::Span<const LayoutId> children);
  LayoutId Lines(absl::Span<const LayoutId> children, int32_t indent);
  LayoutId Fill(absl::Span<const LayoutId> children, int32_t indent);
  LayoutId WithComma(LayoutId id);
  LayoutNode& at(LayoutId id) { return tree_.nodes[static_cast<size_t>(id)]; }
  void Measure();

  // layout_items.cc
  LayoutId Item();
  LayoutId Header();
  LayoutId Binding();
  LayoutId Intent();
  LayoutId Rule();
  LayoutId Limit();
  LayoutId Test();
  LayoutId Assert();
  LayoutId Claim();
  LayoutId On();
  LayoutId When();
  LayoutId Approvals();
  void Clauses(std::vector<LayoutId>& lines);
  LayoutId Type();
  LayoutId Fields();
  LayoutId Object();
  LayoutId ObjectMembers();
  LayoutId ListItems();

  // layout_exprs.cc
  LayoutId Expr(int32_t indent);
  LayoutId Chain(Level level);
  LayoutId OperandOf(Level level);
  bool AtOperator(Level level) const;
  bool AtComparison() const;
  LayoutId NotExpr();
  LayoutId Comparison();
  LayoutId Operand();
  LayoutId Unary();
  LayoutId Primary();
  LayoutId Quantifier();
  LayoutId Call();
  LayoutId Path();
  LayoutId Set();

  std::vector<FormatToken> input_;
  size_t pos_ = 0;
  absl::flat_hash_set<std::string> consts_;
  LayoutId last_logic_ = LayoutId::kNone;  // the newest or/and chain
  LayoutTree tree_;
};

}  // namespace sgl

#endif  // POLICY_SYNTAX_LAYOUT_BUILDER_H_
