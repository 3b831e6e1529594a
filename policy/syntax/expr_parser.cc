// Expressions, by precedence: or, and, not, comparison, ??, + -, *, unary -,
// has and the primaries.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/limits.h"
#include "policy/syntax/parser_state.h"

namespace sgl {
namespace {

// Returns the comparison that a token starts, or kError.
ExprKind ComparisonKind(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEqual:
    case TokenKind::kAssign:
      return ExprKind::kEqual;
    case TokenKind::kNotEqual:
      return ExprKind::kNotEqual;
    case TokenKind::kLess:
      return ExprKind::kLess;
    case TokenKind::kLessEqual:
      return ExprKind::kLessEqual;
    case TokenKind::kGreater:
      return ExprKind::kGreater;
    case TokenKind::kGreaterEqual:
      return ExprKind::kGreaterEqual;
    case TokenKind::kWord:
      break;
    default:
      return ExprKind::kError;
  }
  if (token.word == "in") return ExprKind::kIn;
  if (token.word == "matches") return ExprKind::kMatches;
  if (token.word == "starts_with") return ExprKind::kStartsWith;
  if (token.word == "ends_with") return ExprKind::kEndsWith;
  if (token.word == "contains") return ExprKind::kContains;
  return ExprKind::kError;
}

}  // namespace

ExprId Parser::AddLeaf(ExprKind kind, Span span, int64_t number) {
  Expr leaf;
  leaf.kind = kind;
  leaf.span = span;
  leaf.number = number;
  ast_.exprs.push_back(leaf);
  depths_.push_back(1);
  return static_cast<ExprId>(ast_.exprs.size() - 1);
}

ExprId Parser::AddError(Span span) {
  return AddLeaf(ExprKind::kError, span, 0);
}

ExprId Parser::AddText(ExprKind kind, const Token& token, std::string text) {
  const ExprId id = AddLeaf(kind, token.span, token.flag ? 1 : 0);
  ast_.exprs.back().text = static_cast<int32_t>(ast_.texts.size());
  ast_.texts.push_back(std::move(text));
  return id;
}

// Adds an operator over its operands. Chains like `a + a + …` nest without
// recursion here, so the depth is bounded as well as the nesting.
ExprId Parser::AddNode(ExprKind kind, Span span, Span op_span,
                       absl::Span<const ExprId> children) {
  int32_t depth = 0;
  for (ExprId child : children) {
    depth = std::max(depth, depths_[static_cast<size_t>(child)]);
  }
  if (++depth > kNodeDepthMax) {
    diagnostics_.Add(
        DiagnosticKind::kNestingTooDeep, op_span,
        absl::StrFormat("operators nested more than %d deep", kNodeDepthMax));
    panicking_ = true;
    return AddError(span);
  }
  const ExprId id = AddLeaf(kind, span, 0);
  Expr& node = ast_.exprs.back();
  node.op_span = op_span;
  node.first_child = static_cast<int32_t>(ast_.children.size());
  node.child_count = static_cast<int32_t>(children.size());
  ast_.children.insert(ast_.children.end(), children.begin(), children.end());
  depths_.back() = depth;
  return id;
}

void Parser::SetSteps(ExprId id, absl::Span<const Name> steps) {
  Expr& node = ast_.exprs[static_cast<size_t>(id)];
  node.first_step = static_cast<int32_t>(ast_.steps.size());
  node.step_count = static_cast<int32_t>(steps.size());
  ast_.steps.insert(ast_.steps.end(), steps.begin(), steps.end());
}

ExprId Parser::ParseExpr() {
  const Nested nested(*this);
  if (panicking_ || NestsTooDeep(Peek().span)) return AddError(Peek().span);
  return ParseAndOr(true);
}

// Reads `a or b or …` or, one level tighter, `a and b and …`.
ExprId Parser::ParseAndOr(bool is_or) {
  const absl::string_view word = is_or ? "or" : "and";
  const int32_t begin = Peek().span.begin;
  std::vector<ExprId> operands;
  Span op_span;
  operands.push_back(is_or ? ParseAndOr(false) : ParseNot());
  while (!panicking_ && AtWord(word)) {
    op_span = Take().span;
    operands.push_back(is_or ? ParseAndOr(false) : ParseNot());
  }
  if (operands.size() == 1) return operands[0];
  return AddNode(is_or ? ExprKind::kOr : ExprKind::kAnd, SpanFrom(begin),
                 op_span, operands);
}

ExprId Parser::ParseNot() {
  if (panicking_ || !AtWord("not")) return ParseComparison();
  const Nested nested(*this);
  if (NestsTooDeep(Peek().span)) return AddError(Peek().span);
  const Span op_span = Take().span;
  const ExprId operand = ParseNot();
  return AddNode(ExprKind::kNot, SpanFrom(op_span.begin), op_span, {operand});
}

ExprId Parser::ParseComparison() {
  const ExprId left = ParseOperand();
  const ExprId first = ParseComparisonTail(left);
  if (first == left || panicking_) return first;
  const Span span = Peek().span;
  if (ParseComparisonTail(first) != first) {
    diagnostics_
        .Add(DiagnosticKind::kChainedComparison, span,
             "comparisons do not chain")
        .Help("compare twice and join with `and`, or use parentheses");
    while (ParseComparisonTail(first) != first) {
    }
  }
  return first;
}

// Reads an operator and its right side. Returns `left` where none stands here.
ExprId Parser::ParseComparisonTail(ExprId left) {
  if (panicking_) return left;
  const bool is_not_in = AtWord("not") && AtWord("in", 1);
  ExprKind kind = is_not_in ? ExprKind::kNotIn : ComparisonKind(Peek());
  if (kind == ExprKind::kError) return left;
  if (At(TokenKind::kAssign)) {
    diagnostics_
        .Add(DiagnosticKind::kUnexpectedToken, Peek().span,
             "expected an operator, found `=`")
        .Help("write `==` to compare");
  }
  Span op_span = Take().span;
  if (is_not_in) op_span = Cover(op_span, Take().span);
  const ExprId right = ParseOperand();
  return AddNode(kind, SpanFrom(expr(left).span.begin), op_span, {left, right});
}

// Reads one side of a comparison, which may be a range.
ExprId Parser::ParseOperand() {
  const ExprId low = ParseCoalesce();
  if (panicking_ || !At(TokenKind::kDotDot)) return low;
  const Span op_span = Take().span;
  const ExprId high = ParseCoalesce();
  return AddNode(ExprKind::kRange, SpanFrom(expr(low).span.begin), op_span,
                 {low, high});
}

ExprId Parser::ParseCoalesce() {
  const ExprId left = ParseSum();
  if (panicking_ || !At(TokenKind::kCoalesce)) return left;
  const Nested nested(*this);
  if (NestsTooDeep(Peek().span)) return AddError(Peek().span);
  const Span op_span = Take().span;
  const ExprId right = ParseCoalesce();
  return AddNode(ExprKind::kCoalesce, SpanFrom(expr(left).span.begin), op_span,
                 {left, right});
}

ExprId Parser::ParseSum() {
  ExprId left = ParseProduct();
  while (!panicking_ && (At(TokenKind::kPlus) || At(TokenKind::kMinus))) {
    const Token op = Take();
    const ExprId right = ParseProduct();
    left = AddNode(
        op.kind == TokenKind::kPlus ? ExprKind::kAdd : ExprKind::kSubtract,
        SpanFrom(expr(left).span.begin), op.span, {left, right});
  }
  return left;
}

ExprId Parser::ParseProduct() {
  ExprId left = ParseUnary();
  while (!panicking_ && At(TokenKind::kStar)) {
    const Span op_span = Take().span;
    const ExprId right = ParseUnary();
    left = AddNode(ExprKind::kMultiply, SpanFrom(expr(left).span.begin),
                   op_span, {left, right});
  }
  return left;
}

ExprId Parser::ParseUnary() {
  if (panicking_ || !At(TokenKind::kMinus)) return ParsePrimary();
  const Nested nested(*this);
  if (NestsTooDeep(Peek().span)) return AddError(Peek().span);
  const Span op_span = Take().span;
  switch (Peek().kind) {
    case TokenKind::kInt:
    case TokenKind::kDecimal:
    case TokenKind::kUsd:
    case TokenKind::kDuration:
      return ParseNumber(true, op_span.begin);
    default:
      break;
  }
  const ExprId operand = ParseUnary();
  return AddNode(ExprKind::kNegate, SpanFrom(op_span.begin), op_span,
                 {operand});
}

ExprId Parser::ParseNumber(bool is_negated, int32_t begin) {
  const Token token = Take();
  ExprKind kind = ExprKind::kInt;
  if (token.kind == TokenKind::kDecimal) kind = ExprKind::kDecimal;
  if (token.kind == TokenKind::kUsd) kind = ExprKind::kUsd;
  if (token.kind == TokenKind::kDuration) kind = ExprKind::kDuration;
  const int64_t number = Signed(token, is_negated);
  return AddLeaf(kind, SpanFrom(begin), number);
}

ExprId Parser::ParsePrimary() {
  if (panicking_) return AddError(Peek().span);
  const int32_t begin = Peek().span.begin;
  switch (Peek().kind) {
    case TokenKind::kInt:
    case TokenKind::kDecimal:
    case TokenKind::kUsd:
    case TokenKind::kDuration:
      return ParseNumber(false, begin);
    case TokenKind::kTimestamp: {
      const Token token = Take();
      return AddLeaf(ExprKind::kTimestamp, token.span, token.time);
    }
    case TokenKind::kString: {
      const Token token = Take();
      return AddText(ExprKind::kString, token, PlainText(token));
    }
    case TokenKind::kRegex: {
      Token token = Take();
      std::string pattern = std::move(token.text);
      return AddText(ExprKind::kRegex, token, std::move(pattern));
    }
    case TokenKind::kError:
      return AddError(Take().span);  // reported: stands for an operand
    case TokenKind::kLeftParen:
      return ParseParen();
    case TokenKind::kLeftBrace:
      return ParseSet();
    case TokenKind::kWord:
      return ParseWordPrimary();
    default:
      Unexpected("an expression");
      return AddError(Peek().span);
  }
}

ExprId Parser::ParseWordPrimary() {
  const absl::string_view word = Peek().word;
  if (word == "true" || word == "false") {
    return AddLeaf(ExprKind::kBool, Take().span, word == "true" ? 1 : 0);
  }
  if (word == "has") return ParseHas();
  if (word == "any") return ParseQuantifier(ExprKind::kAny);
  if (word == "all") return ParseQuantifier(ExprKind::kAll);
  if (word == "count") return ParseQuantifier(ExprKind::kCount);
  if (word == "not") {
    diagnostics_
        .Add(DiagnosticKind::kUnexpectedToken, Peek().span,
             "expected an operand, found `not`")
        .Help("put `not` and what it negates in parentheses");
    panicking_ = true;
    return AddError(Peek().span);
  }
  const bool is_operator = word == "and" || word == "or" || word == "in" ||
                           ComparisonKind(Peek()) != ExprKind::kError;
  const bool is_clause =
      (Peek().starts_line && AtItemStart()) ||
      ((word == "risk" || word == "approvals") && AtClause());
  if (is_operator || is_clause) {
    UnexpectedAfter("an expression");
    return AddError(AfterPrevious());
  }
  if (Peek(1).kind == TokenKind::kLeftParen) return ParseCall();
  return ParsePath();
}

ExprId Parser::ParseParen() {
  const Span open = Take().span;
  const ExprId inner = ParseExpr();
  if (!Expect(TokenKind::kRightParen, "to close the `(`")) return inner;
  // The parentheses belong to the expression, so that carets cover them.
  ast_.exprs[static_cast<size_t>(inner)].span = SpanFrom(open.begin);
  return inner;
}

ExprId Parser::ParseHas() {
  const Span op_span = Take().span;
  if (!At(TokenKind::kWord) || IsReservedWord(Peek().word)) {
    const bool is_root = At(TokenKind::kWord) &&
                         Peek(1).kind != TokenKind::kLeftParen &&
                         (Peek(1).kind == TokenKind::kDot ||
                          Peek(1).kind == TokenKind::kLeftBracket);
    if (!is_root) {
      UnexpectedAfter("a path after `has`");
      return AddError(AfterPrevious());
    }
  }
  const ExprId path = ParsePath();
  return AddNode(ExprKind::kHas, SpanFrom(op_span.begin), op_span, {path});
}

// Reads `any x in list: body`; the body reaches as far right as it can.
ExprId Parser::ParseQuantifier(ExprKind kind) {
  const Span op_span = Take().span;
  const Name variable = ParseNewName("a name for the element");
  ExpectWord("in", "after the element's name");
  if (!panicking_ && !At(TokenKind::kWord)) {
    Unexpected("a list", At(TokenKind::kLeftBrace)
                             ? "for several endings write "
                               "`matches /(a|b)$/`"
                             : "");
  }
  const ExprId list = panicking_ ? AddError(AfterPrevious()) : ParsePath();
  Expect(TokenKind::kColon, "after the list");
  const ExprId body = ParseExpr();
  const ExprId id =
      AddNode(kind, SpanFrom(op_span.begin), op_span, {list, body});
  SetSteps(id, {variable});
  return id;
}

ExprId Parser::ParseCall() {
  const Name function = ParseWord("a function");
  Take();
  std::vector<ExprId> args;
  while (!panicking_ && !At(TokenKind::kRightParen)) {
    args.push_back(ParseExpr());
    if (!TakeIf(TokenKind::kComma)) break;
  }
  Expect(TokenKind::kRightParen, "after the arguments");
  const ExprId id = AddNode(ExprKind::kCall, SpanFrom(function.span.begin),
                            function.span, args);
  SetSteps(id, {function});
  return id;
}

// Returns whether the next item starts here, as far as can be told: a field may
// be called `block` as well, but an operator comes after it then.
bool Parser::AtNextItem() {
  return !panicking_ && Peek().starts_line && AtItemStart() &&
         !IsReservedWord(Peek(1).word);
}

// Reads `name`, `name.name` and `name["quoted name"]`.
ExprId Parser::ParsePath() {
  std::vector<Name> steps = {ParseWord("a path")};
  const int32_t begin = steps[0].span.begin;
  while (!panicking_) {
    if (TakeIf(TokenKind::kDot)) {
      if (AtNextItem()) Unexpected("a field after `.`");
      steps.push_back(ParseWord("a field after `.`"));
    } else if (TakeIf(TokenKind::kLeftBracket)) {
      if (!At(TokenKind::kString)) {
        Unexpected("a field's name in quotes");
      } else {
        steps.push_back(ParseName("a field's name"));
      }
      Expect(TokenKind::kRightBracket, "after the field's name");
    } else {
      break;
    }
    if (steps.size() > static_cast<size_t>(kNestingMax) && !panicking_) {
      diagnostics_.Add(
          DiagnosticKind::kNestingTooDeep, SpanFrom(begin),
          absl::StrFormat("a path of more than %d names", kNestingMax));
      panicking_ = true;
    }
  }
  const ExprId id = AddLeaf(ExprKind::kPath, SpanFrom(begin), 0);
  SetSteps(id, steps);
  return id;
}

ExprId Parser::ParseSet() {
  const Span open = Take().span;
  std::vector<ExprId> members;
  const Nested nested(*this);
  if (NestsTooDeep(open)) return AddError(open);
  do {
    if (!members.empty() && At(TokenKind::kRightBrace)) break;
    if (At(TokenKind::kRightBrace)) Unexpected("a member of the set");
    members.push_back(ParseUnary());
  } while (TakeIf(TokenKind::kComma));
  Expect(TokenKind::kRightBrace, "after the set's members");
  return AddNode(ExprKind::kSet, SpanFrom(open.begin), open, members);
}

}  // namespace sgl
