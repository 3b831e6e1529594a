// The layout of expressions: operators lead their lines, loose ones break
// before tight ones, and the body of any/all/count goes below its head.

#include <vector>

#include "policy/syntax/layout_builder.h"

namespace sgl {

// Lays out an expression whose `or`s, or else `and`s, are indented by
// `indent` when it breaks.
LayoutId LayoutBuilder::Expr(int32_t indent) {
  const LayoutId id = Chain(Level::kOr);
  if (id == last_logic_) at(id).indent = indent;
  return id;
}

LayoutId LayoutBuilder::Chain(Level level) {
  std::vector<LayoutId> operands = {OperandOf(level)};
  while (AtOperator(level)) {
    const LayoutId op = Take();
    operands.push_back(Run({op, OperandOf(level)}));
  }
  if (operands.size() == 1) return operands[0];
  const LayoutId id = Lines(operands, 2);
  if (level == Level::kOr || level == Level::kAnd) last_logic_ = id;
  return id;
}

LayoutId LayoutBuilder::OperandOf(Level level) {
  switch (level) {
    case Level::kOr:
      return Chain(Level::kAnd);
    case Level::kAnd:
      return NotExpr();
    case Level::kCoalesce:
      return Chain(Level::kSum);
    case Level::kSum:
      return Chain(Level::kProduct);
    case Level::kProduct:
      break;
  }
  return Unary();
}

bool LayoutBuilder::AtOperator(Level level) const {
  switch (level) {
    case Level::kOr:
      return AtWord("or");
    case Level::kAnd:
      return AtWord("and");
    case Level::kCoalesce:
      return At(TokenKind::kCoalesce);
    case Level::kSum:
      return At(TokenKind::kPlus) || At(TokenKind::kMinus);
    case Level::kProduct:
      break;
  }
  return At(TokenKind::kStar);
}

bool LayoutBuilder::AtComparison() const {
  switch (Peek().kind) {
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
      return true;
    default:
      break;
  }
  return AtWord("in") || (AtWord("not") && AtWord("in", 1)) ||
         AtWord("matches") || AtWord("starts_with") || AtWord("ends_with") ||
         AtWord("contains");
}

LayoutId LayoutBuilder::NotExpr() {
  std::vector<LayoutId> parts;
  while (AtWord("not")) parts.push_back(Take());
  parts.push_back(Comparison());
  return Run(parts);
}

// A set keeps its brace on the line of its operator and breaks inside.
LayoutId LayoutBuilder::Comparison() {
  const LayoutId left = Operand();
  if (!AtComparison()) return left;
  std::vector<LayoutId> parts = {Take()};
  if (AtWord("in")) parts.push_back(Take());
  const bool is_set = At(TokenKind::kLeftBrace);
  parts.push_back(Operand());
  const LayoutId right = Run(parts);
  return is_set ? Run({left, right}) : Lines({left, right}, 2);
}

// One side of a comparison, or a range.
LayoutId LayoutBuilder::Operand() {
  const LayoutId low = Chain(Level::kCoalesce);
  if (!At(TokenKind::kDotDot)) return low;
  const LayoutId dots = TakeGlued();
  return Run({low, dots, Glue(Chain(Level::kCoalesce))});
}

LayoutId LayoutBuilder::Unary() {
  std::vector<LayoutId> parts;
  while (At(TokenKind::kMinus)) {
    parts.push_back(parts.empty() ? Take() : TakeGlued());
  }
  parts.push_back(parts.empty() ? Primary() : Glue(Primary()));
  return Run(parts);
}

LayoutId LayoutBuilder::Primary() {
  if (At(TokenKind::kLeftParen)) {
    const LayoutId open = Take();
    const LayoutId inner = Glue(Expr(2));
    return Run({open, inner, TakeGlued()});
  }
  if (At(TokenKind::kLeftBrace)) return Set();
  if (!At(TokenKind::kWord)) return Take();
  if (AtWord("has")) {
    const LayoutId op = Take();
    return Run({op, Path()});
  }
  if (AtWord("any") || AtWord("all") || AtWord("count")) return Quantifier();
  return At(TokenKind::kLeftParen, 1) ? Call() : Path();
}

LayoutId LayoutBuilder::Quantifier() {
  std::vector<LayoutId> head = {Take(), Take(), Take()};
  head.push_back(Path());
  head.push_back(TakeGlued());
  return Lines({Run(head), Expr(0)}, 2);
}

LayoutId LayoutBuilder::Call() {
  std::vector<LayoutId> parts = {Take(), TakeGlued()};
  std::vector<LayoutId> args;
  while (!At(TokenKind::kRightParen) && !At(TokenKind::kEnd)) {
    args.push_back(WithComma(Expr(2)));
  }
  if (!args.empty()) parts.push_back(Glue(Fill(args, 2)));
  parts.push_back(TakeGlued());
  return Run(parts);
}

// `name.name["quoted name"]`, with a dot where the name needs no quotes.
LayoutId LayoutBuilder::Path() {
  std::vector<LayoutId> parts = {Take()};
  while (true) {
    if (At(TokenKind::kDot)) {
      parts.push_back(TakeGlued());
      parts.push_back(TakeGlued());
      continue;
    }
    if (!At(TokenKind::kLeftBracket)) return Run(parts);
    const FormatToken& name = Peek(1);
    const bool is_word = At(TokenKind::kString, 1) && name.comment_count == 0 &&
                         Peek(2).comment_count == 0 &&
                         IsWord(name.text.substr(1, name.text.size() - 2));
    if (is_word) {
      FormatToken dot = Peek();
      dot.kind = TokenKind::kDot;
      dot.text = ".";
      ++pos_;
      parts.push_back(Glue(AddToken(dot)));
      parts.push_back(Glue(TakeName(NameUse::kField)));
      ++pos_;
    } else {
      parts.push_back(TakeGlued());
      parts.push_back(TakeGlued());
      parts.push_back(TakeGlued());
    }
  }
}

LayoutId LayoutBuilder::Set() {
  std::vector<LayoutId> parts = {Take()};
  while (!At(TokenKind::kRightBrace) && !At(TokenKind::kEnd)) {
    parts.push_back(WithComma(Unary()));
  }
  if (parts.size() > 1) Glue(parts[1]);
  parts.push_back(TakeGlued());
  return AddNode(Layout::kPackedBlock, 2, parts);
}

}  // namespace sgl
