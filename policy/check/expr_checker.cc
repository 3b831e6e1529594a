// Operators: their types, and which guards hold where.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/limits.h"

namespace sgl {
namespace {

bool IsOrdered(TypeKind kind) {
  return kind == TypeKind::kInt || kind == TypeKind::kDecimal ||
         kind == TypeKind::kUsd || kind == TypeKind::kDuration ||
         kind == TypeKind::kTimestamp;
}

Op ComparisonOp(ExprKind kind) {
  switch (kind) {
    case ExprKind::kEqual:
      return Op::kEqual;
    case ExprKind::kNotEqual:
      return Op::kNotEqual;
    case ExprKind::kLess:
      return Op::kLess;
    case ExprKind::kLessEqual:
      return Op::kLessEqual;
    case ExprKind::kGreater:
      return Op::kGreater;
    default:
      return Op::kGreaterEqual;
  }
}

Facts Union(Facts left, const Facts& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Facts Intersection(Facts left, Facts right) {
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  Facts both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::back_inserter(both));
  both.erase(std::unique(both.begin(), both.end()), both.end());
  return both;
}

}  // namespace

void Checker::PushFacts(const Facts& facts) {
  for (GuardKey key : facts) ++scope_.facts[key];
}

void Checker::PopFacts(const Facts& facts) {
  for (GuardKey key : facts) {
    const auto found = scope_.facts.find(key);
    if (--found->second == 0) scope_.facts.erase(found);
  }
}

Checked Checker::MakeNode(Op op, TypeId type, int32_t index, Span span,
                          absl::Span<const NodeId> children) {
  for (NodeId child : children) {
    if (child == NodeId::kNone) return {};  // reported
  }
  Checked made;
  made.node = nodes_.Add(op, type, index, span, children);
  if (made.node == NodeId::kNone) {
    Report(
        DiagnosticKind::kNestingTooDeep, span,
        absl::StrFormat("nested more than %d deep, with its defs put in place",
                        kNodeDepthMax));
    return {};
  }
  made.type = type;
  return made;
}

Checked Checker::Mismatch(Span span, absl::string_view wanted, TypeId found) {
  if (found != kErrorType) {
    Report(DiagnosticKind::kTypeMismatch, span,
           absl::StrCat("expected ", wanted, ", found ", Describe(found)));
  }
  return {};
}

Checked Checker::CheckCondition(ExprId id) {
  Checked condition = CheckExpr(id, kBoolType);
  if (condition.failed() || condition.type == kBoolType) return condition;
  auto report = Report(
      DiagnosticKind::kTypeMismatch, expr(id).span,
      absl::StrCat("expected a condition, found ", Describe(condition.type)));
  if (expr(id).kind == ExprKind::kCount) {
    report.Help("to compare it, write `(count x in …: …) > 1`");
  }
  return {};
}

// Checks an expression. `wanted` is what a constant should be if it can, kNone
// if nothing is known; the caller compares the type that came out.
Checked Checker::CheckExpr(ExprId id, TypeId wanted) {
  if (depth_ >= kNodeDepthMax) {
    is_cut_short_ = true;
    Report(
        DiagnosticKind::kNestingTooDeep, expr(id).span,
        absl::StrFormat("nested more than %d deep, with its defs put in place",
                        kNodeDepthMax));
    return {};
  }
  ++depth_;
  Checked checked = CheckExprNested(id, wanted);
  --depth_;
  return checked;
}

Checked Checker::CheckExprNested(ExprId id, TypeId wanted) {
  const Expr& node = expr(id);
  switch (node.kind) {
    case ExprKind::kError:
      return {};
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kDecimal:
    case ExprKind::kUsd:
    case ExprKind::kDuration:
    case ExprKind::kTimestamp:
    case ExprKind::kString:
      return CheckConstant(*TryConstant(id), wanted);
    case ExprKind::kPath:
      return CheckName(id, wanted);
    case ExprKind::kRegex:
      Report(DiagnosticKind::kNotAConstant, node.span,
             "a regex stands only right of `matches`, and in `scan`");
      return {};
    case ExprKind::kSet:
    case ExprKind::kRange:
      Report(DiagnosticKind::kNotAConstant, node.span,
             absl::StrCat(node.kind == ExprKind::kSet ? "a set" : "a range",
                          " stands only right of `in`, and in a const"));
      return {};
    case ExprKind::kOr:
    case ExprKind::kAnd:
      return CheckAndOr(node);
    case ExprKind::kNot:
      return CheckNot(node);
    case ExprKind::kEqual:
    case ExprKind::kNotEqual:
    case ExprKind::kLess:
    case ExprKind::kLessEqual:
    case ExprKind::kGreater:
    case ExprKind::kGreaterEqual:
      return CheckComparison(node);
    case ExprKind::kIn:
    case ExprKind::kNotIn:
      return CheckIn(node);
    case ExprKind::kMatches:
      return CheckMatches(node);
    case ExprKind::kStartsWith:
    case ExprKind::kEndsWith:
      return CheckStringOp(node);
    case ExprKind::kContains:
      return CheckContains(node);
    case ExprKind::kHas:
      return CheckHas(node);
    case ExprKind::kCoalesce:
      return CheckCoalesce(node, wanted);
    case ExprKind::kAdd:
    case ExprKind::kSubtract:
    case ExprKind::kMultiply:
      return CheckArithmetic(node);
    case ExprKind::kNegate:
      return CheckNegate(node);
    case ExprKind::kAny:
    case ExprKind::kAll:
    case ExprKind::kCount:
      return CheckQuantifier(node);
    case ExprKind::kCall:
      return CheckCall(node);
  }
  return {};
}

// Each operand is checked under what the ones left of it have shown: that they
// were true for `and`, false for `or`.
Checked Checker::CheckAndOr(const Expr& node) {
  const bool is_and = node.kind == ExprKind::kAnd;
  std::vector<NodeId> children;
  std::vector<Facts> pushed;
  Facts strong;  // `and`: paths there if true; `or`: there if false
  Facts weak;    // the other way round: there whichever operand decided
  bool failed = false;
  for (int i = 0; i < node.child_count; ++i) {
    Checked operand = CheckCondition(ast().child(node, i));
    failed = failed || operand.failed();
    children.push_back(operand.node);
    Facts& own_strong = is_and ? operand.if_true : operand.if_false;
    Facts& own_weak = is_and ? operand.if_false : operand.if_true;
    // This operand decides only if those before it did not.
    if (i == 0) {
      weak = own_weak;
    } else if (!weak.empty()) {
      weak = Intersection(weak, Union(strong, own_weak));
    }
    strong = Union(std::move(strong), own_strong);
    PushFacts(own_strong);
    pushed.push_back(std::move(own_strong));
  }
  for (const Facts& facts : pushed) PopFacts(facts);
  Checked checked;
  if (!failed) {
    checked = MakeNode(is_and ? Op::kAnd : Op::kOr, kBoolType, 0, node.span,
                       children);
  }
  checked.if_true = is_and ? std::move(strong) : weak;
  checked.if_false = is_and ? std::move(weak) : std::move(strong);
  return checked;
}

Checked Checker::CheckNot(const Expr& node) {
  Checked operand = CheckCondition(ast().child(node, 0));
  Checked checked;
  if (!operand.failed()) {
    checked = MakeNode(Op::kNot, kBoolType, 0, node.span, {operand.node});
  }
  checked.if_true = std::move(operand.if_false);
  checked.if_false = std::move(operand.if_true);
  return checked;
}

// Checks both sides of an operator; a constant takes the type of the other.
std::pair<Checked, Checked> Checker::CheckSides(ExprId left, ExprId right) {
  const std::optional<Constant> left_constant = TryConstant(left);
  if (!left_constant.has_value()) {
    Checked first = CheckExpr(left, TypeId::kNone);
    Checked second = CheckExpr(right, first.failed() ? kErrorType : first.type);
    return {std::move(first), std::move(second)};
  }
  const std::optional<Constant> right_constant = TryConstant(right);
  TypeId wanted = TypeId::kNone;
  if (right_constant.has_value()) {
    const TypeId type = right_constant->value.type;
    if (left_constant->is_bare || type == kDecimalType) wanted = type;
    if (left_constant->is_bare && right_constant->is_bare) {
      wanted = TypeId::kNone;
    }
    Checked first = CheckExpr(left, wanted);
    if (first.failed()) return {};
    Checked second = CheckExpr(right, first.type);
    return {std::move(first), std::move(second)};
  }
  Checked second = CheckExpr(right, TypeId::kNone);
  Checked first = CheckExpr(left, second.failed() ? kErrorType : second.type);
  return {std::move(first), std::move(second)};
}

void Checker::ReportSides(const Expr& node, absl::string_view what, TypeId left,
                          TypeId right) {
  const ExprId sides[] = {ast().child(node, 0), ast().child(node, 1)};
  auto report =
      Report(DiagnosticKind::kTypeMismatch, node.op_span,
             absl::StrCat(what, " ", Describe(left), " and ", Describe(right)));
  for (int i = 0; i < 2; ++i) {
    const Expr& side = expr(sides[i]);
    const TypeId other = i == 0 ? right : left;
    if (side.kind == ExprKind::kInt && other == kUsdType) {
      report.Help(absl::StrCat("write `$", sources_.TextAt(side.span),
                               "` for an amount"));
    } else if (KindOf(other) == TypeKind::kList &&
               node.kind == ExprKind::kEqual) {
      report.Help(absl::StrCat("to look for an element, write `… contains ",
                               sources_.TextAt(side.span), "`"));
    } else if (side.kind == ExprKind::kString &&
               KindOf(other) != TypeKind::kString &&
               KindOf(other) != TypeKind::kList) {
      report.Help(
          absl::StrCat("the other side is ", Describe(other), ": no quotes"));
    }
  }
}

bool Checker::IsIntentType(const Checked& value) const {
  if (value.node == NodeId::kNone) return false;
  const Node& node = policy_.node(value.node);
  if (node.op != Op::kPath) return false;
  const Path& path = policy_.paths[static_cast<size_t>(node.index)];
  return path.root == PathRoot::kFixed &&
         path.index == static_cast<int32_t>(RootField::kIntentType);
}

// Returns whether an expression is a bare word that nothing declares.
bool Checker::IsUnknownWord(ExprId id, absl::string_view word) {
  const std::optional<Constant> constant = TryConstant(id);
  return constant.has_value() && constant->is_bare &&
         constant->value.text == word;
}

// Reports a comparison with `null`, and takes it for the guard that was meant.
// Nothing where no side is `null`, or the other side may be so called.
std::optional<Checked> Checker::CheckNull(const Expr& node) {
  const bool is_left = IsUnknownWord(ast().child(node, 0), "null");
  const ExprId null_id = ast().child(node, is_left ? 0 : 1);
  const ExprId path_id = ast().child(node, is_left ? 1 : 0);
  if (expr(path_id).kind != ExprKind::kPath ||
      !IsUnknownWord(null_id, "null")) {
    return std::nullopt;
  }
  if (TryConstant(path_id).has_value()) return std::nullopt;
  const ResolvedPath path = ResolvePath(path_id);
  const TypeKind kind = KindOf(policy_.types.Required(path.type));
  if (kind == TypeKind::kSymbol || kind == TypeKind::kEnum) return std::nullopt;
  const bool is_absent = node.kind == ExprKind::kEqual;
  auto report = Report(DiagnosticKind::kUnknownName, expr(null_id).span,
                       "`null` is no value in a condition");
  Checked checked;
  if (!path.ok) return checked;
  if (path.optionals.empty() && path.type != kErrorType) {
    report.Help(absl::StrCat("`", Written(path), "` is always there"));
  } else {
    report.Help(absl::StrCat("write `", is_absent ? "not " : "", "has ",
                             Written(path), "`"));
  }
  (is_absent ? checked.if_false : checked.if_true) = path.prefixes;
  return checked;
}

Checked Checker::CheckComparison(const Expr& node) {
  if (std::optional<Checked> null = CheckNull(node)) return *null;
  const ExprId left_id = ast().child(node, 0);
  const ExprId right_id = ast().child(node, 1);
  const auto [left, right] = CheckSides(left_id, right_id);
  if (left.failed() || right.failed()) return {};
  if (left.type != right.type) {
    ReportSides(node, "cannot compare", left.type, right.type);
    return {};
  }
  const TypeKind kind = KindOf(left.type);
  const Op op = ComparisonOp(node.kind);
  const bool is_equality = op == Op::kEqual || op == Op::kNotEqual;
  if (kind == TypeKind::kList || kind == TypeKind::kRecord ||
      (!is_equality && !IsOrdered(kind))) {
    Report(DiagnosticKind::kTypeMismatch, node.op_span,
           absl::StrCat(is_equality ? "cannot compare values of "
                                    : "there is no order between values of ",
                        Describe(left.type)));
    return {};
  }
  for (const auto& [subject, name_id, name] :
       {std::tuple(&left, right_id, &right),
        std::tuple(&right, left_id, &left)}) {
    const Node& literal = policy_.node(name->node);
    if (!IsIntentType(*subject) || literal.op != Op::kLiteral) continue;
    CheckDeclaredType(policy_.literals[static_cast<size_t>(literal.index)].text,
                      expr(name_id).span);
  }
  return MakeNode(op, kBoolType, 0, node.span, {left.node, right.node});
}

// Reports a set, or a const of one, where `what` takes something else. Returns
// whether it was one.
bool Checker::ReportSet(ExprId id, absl::string_view what,
                        absl::string_view help) {
  const Expr& set = expr(id);
  std::string name = "a set";
  if (set.kind == ExprKind::kPath && set.step_count == 1) {
    const std::string& text = ast().step(set, 0).text;
    const Const* item = FindConst(text);
    if (item == nullptr || item->kind != ConstKind::kSet) return false;
    name = absl::StrCat("the set `", text, "`");
  } else if (set.kind != ExprKind::kSet) {
    return false;
  }
  Report(DiagnosticKind::kNotAConstant, set.span,
         absl::StrCat(what, ", not ", name))
      .Help(std::string(help));
  return true;
}

Checked Checker::CheckStringOp(const Expr& node) {
  const bool is_start = node.kind == ExprKind::kStartsWith;
  const bool is_end = node.kind == ExprKind::kEndsWith;
  const ExprId text_id = ast().child(node, 1);
  if (expr(text_id).kind != ExprKind::kString &&
      ReportSet(
          text_id,
          absl::StrCat("`", sources_.TextAt(node.op_span), "` takes one text"),
          absl::StrCat("for several write `matches /", is_start ? "^" : "",
                       "(a|b)", is_end ? "$" : "", "/`"))) {
    CheckExpr(ast().child(node, 0), kStringType);
    return {};
  }
  Checked sides[2];
  for (int i = 0; i < 2; ++i) {
    const ExprId side = ast().child(node, i);
    sides[i] = CheckExpr(side, kStringType);
    if (!sides[i].failed() && sides[i].type != kStringType) {
      sides[i] = Mismatch(expr(side).span, "a string", sides[i].type);
    }
  }
  Op op = Op::kContains;
  if (node.kind == ExprKind::kStartsWith) op = Op::kStartsWith;
  if (node.kind == ExprKind::kEndsWith) op = Op::kEndsWith;
  return MakeNode(op, kBoolType, 0, node.span, {sides[0].node, sides[1].node});
}

Checked Checker::CheckMatches(const Expr& node) {
  const ExprId subject_id = ast().child(node, 0);
  Checked subject = CheckExpr(subject_id, kStringType);
  if (!subject.failed() && subject.type != kStringType) {
    subject = Mismatch(expr(subject_id).span, "a string", subject.type);
  }
  const std::optional<int32_t> regex =
      CheckRegex(ast().child(node, 1), "the right side of `matches`");
  if (subject.failed() || !regex.has_value()) return {};
  return MakeNode(Op::kMatches, kBoolType, *regex, node.span, {subject.node});
}

// `list contains element`, or `text contains text`.
Checked Checker::CheckContains(const Expr& node) {
  const ExprId whole_id = ast().child(node, 0);
  if (TryConstant(whole_id).has_value()) return CheckStringOp(node);
  const Checked whole = CheckExpr(whole_id, kStringType);
  if (whole.type == kStringType) return CheckStringOp(node);
  if (KindOf(whole.type) != TypeKind::kList) {
    CheckExpr(ast().child(node, 1), whole.type);
    return Mismatch(expr(whole_id).span, "a string or a list", whole.type);
  }
  return CheckInList(node, ast().child(node, 1), whole_id);
}

// Returns the type of a sum or product, or kErrorType. Products of unlike
// types may stand either way round.
TypeId Checker::ArithmeticType(ExprKind kind, TypeId left, TypeId right) const {
  const TypeKind l = KindOf(left);
  const TypeKind r = KindOf(right);
  if (kind == ExprKind::kMultiply) {
    if (l == r && (l == TypeKind::kInt || l == TypeKind::kDecimal)) return left;
    if (l == TypeKind::kUsd &&
        (r == TypeKind::kInt || r == TypeKind::kDecimal)) {
      return left;
    }
    if (l == TypeKind::kDuration && r == TypeKind::kInt) return left;
    return kErrorType;
  }
  if (l == r && (l == TypeKind::kInt || l == TypeKind::kDecimal ||
                 l == TypeKind::kUsd || l == TypeKind::kDuration)) {
    return left;
  }
  if (l == TypeKind::kTimestamp && r == TypeKind::kDuration) return left;
  if (l == TypeKind::kTimestamp && r == TypeKind::kTimestamp &&
      kind == ExprKind::kSubtract) {
    return kDurationType;
  }
  return kErrorType;
}

Checked Checker::CheckArithmetic(const Expr& node) {
  auto [left, right] = CheckSides(ast().child(node, 0), ast().child(node, 1));
  if (left.failed() || right.failed()) return {};
  TypeId type = ArithmeticType(node.kind, left.type, right.type);
  if (type == kErrorType && node.kind == ExprKind::kMultiply) {
    type = ArithmeticType(node.kind, right.type, left.type);
    // INVARIANT: the amount or duration of a product is its first child.
    if (type != kErrorType) std::swap(left, right);
  }
  if (type == kErrorType) {
    ReportSides(node,
                node.kind == ExprKind::kAdd        ? "cannot add"
                : node.kind == ExprKind::kSubtract ? "cannot subtract"
                                                   : "cannot multiply",
                left.type, right.type);
    return {};
  }
  const Op op = node.kind == ExprKind::kAdd        ? Op::kAdd
                : node.kind == ExprKind::kSubtract ? Op::kSubtract
                                                   : Op::kMultiply;
  return MakeNode(op, type, 0, node.span, {left.node, right.node});
}

Checked Checker::CheckNegate(const Expr& node) {
  const ExprId id = ast().child(node, 0);
  const Checked operand = CheckExpr(id, TypeId::kNone);
  if (operand.failed()) return {};
  const TypeKind kind = KindOf(operand.type);
  if (!IsOrdered(kind) || kind == TypeKind::kTimestamp) {
    return Mismatch(expr(id).span, "a number, an amount or a duration",
                    operand.type);
  }
  return MakeNode(Op::kNegate, operand.type, 0, node.span, {operand.node});
}

}  // namespace sgl
