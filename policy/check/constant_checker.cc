// Constants: what an expression stands for without being evaluated, and the
// type that it takes from what it is compared with.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/compile/compiled_regex.h"
#include "policy/diagnostics/suggest.h"
#include "policy/lex/lexer.h"
#include "policy/limits.h"
#include "policy/syntax/parser.h"

namespace sgl {
namespace {

constexpr int64_t kDecimalUnit = 1'000'000'000;

// How many consts and defs may stand for each other in a row.
constexpr int kAliasMax = 64;

bool IsOrdered(TypeKind kind) {
  return kind == TypeKind::kInt || kind == TypeKind::kDecimal ||
         kind == TypeKind::kUsd || kind == TypeKind::kDuration ||
         kind == TypeKind::kTimestamp;
}

bool IsNamed(TypeKind kind) {
  return kind == TypeKind::kSymbol || kind == TypeKind::kEnum;
}

// Returns whether a name must be quoted to be written at all.
bool NeedsQuotes(absl::string_view name) {
  return !IsWord(name) || IsReservedWord(name);
}

}  // namespace

// Returns what an expression stands for, if it is a literal, a bare name that
// nothing declares, or a const or def of such a one.
std::optional<Constant> Checker::TryConstant(ExprId id) {
  const Expr& value = expr(id);
  Constant constant;
  constant.span = value.span;
  constant.value.number = value.number;
  switch (value.kind) {
    case ExprKind::kBool:
      constant.value.type = kBoolType;
      break;
    case ExprKind::kInt:
      constant.value.type = kIntType;
      break;
    case ExprKind::kDecimal:
      constant.value.type = kDecimalType;
      break;
    case ExprKind::kUsd:
      constant.value.type = kUsdType;
      break;
    case ExprKind::kDuration:
      constant.value.type = kDurationType;
      break;
    case ExprKind::kTimestamp:
      constant.value.type = kTimestampType;
      break;
    case ExprKind::kString:
      constant.value.type = kStringType;
      constant.value.text = std::string(ast().text(value));
      break;
    case ExprKind::kPath:
      if (value.step_count != 1) return std::nullopt;
      return TryConstantName(id);
    default:
      return std::nullopt;
  }
  return constant;
}

std::optional<Constant> Checker::TryConstantName(ExprId id) {
  const Expr& value = expr(id);
  const std::string& name = ast().step(value, 0).text;
  if (name.empty() || IsReservedWord(name)) return std::nullopt;
  for (const Variable& variable : scope_.variables) {
    if (variable.name == name) return std::nullopt;
  }
  ExprId aliased = ExprId::kNone;
  const Const* item = FindConst(name);
  if (item != nullptr) {
    aliased = item->syntax->value;
  } else if (const Def* def = FindDef(name); def != nullptr) {
    aliased = def->syntax->value;
  }
  if (aliased == ExprId::kNone) {
    Constant symbol;
    symbol.value.type = kSymbolType;
    symbol.value.text = name;
    symbol.span = value.span;
    symbol.is_bare = true;
    return symbol;
  }
  // A def sees none of the variables here.
  std::vector<Variable> variables;
  if (alias_depth_ >= kAliasMax) return std::nullopt;
  ++alias_depth_;
  std::swap(variables, scope_.variables);
  std::optional<Constant> found = TryConstant(aliased);
  std::swap(variables, scope_.variables);
  --alias_depth_;
  if (found.has_value()) {
    found->span = value.span;
    found->is_bare = false;
  }
  return found;
}

// Returns the constant as a value of a type, if it can stand for one: an int
// for a decimal, a name for a symbol or a member, a quoted name for either.
std::optional<Literal> Checker::Convert(const Constant& constant,
                                        TypeId wanted) {
  const Literal& value = constant.value;
  if (value.type == wanted) return value;
  const Type& type = policy_.types[wanted];
  if (value.type == kIntType && type.kind == TypeKind::kDecimal) {
    Literal scaled = value;
    scaled.type = wanted;
    if (__builtin_mul_overflow(value.number, kDecimalUnit, &scaled.number)) {
      return std::nullopt;
    }
    return scaled;
  }
  const bool is_name = value.type == kSymbolType ||
                       (value.type == kStringType && NeedsQuotes(value.text));
  if (!is_name) return std::nullopt;
  if (type.kind == TypeKind::kSymbol) return Literal{wanted, 0, value.text};
  if (type.kind != TypeKind::kEnum) return std::nullopt;
  const int member = type.FindMember(value.text);
  if (member < 0) return std::nullopt;
  return Literal{wanted, member, value.text};
}

// Checks a constant where a type is wanted, or kNone where any will do. Gives
// a literal of that type if it can be one, of its own type otherwise; reports
// names and numbers that can be nothing.
Checked Checker::CheckConstant(const Constant& constant, TypeId wanted) {
  if (wanted == kErrorType) return {};
  Literal literal = constant.value;
  if (wanted != TypeId::kNone) {
    std::optional<Literal> converted = Convert(constant, wanted);
    if (converted.has_value()) {
      literal = *converted;
    } else if (ReportMember(constant, wanted)) {
      return {};
    }
  }
  if (constant.is_bare &&
      (wanted == TypeId::kNone || !IsNamed(KindOf(wanted)))) {
    ReportUnknownName(constant, wanted);
    return {};
  }
  return MakeNode(Op::kLiteral, literal.type, nodes_.AddLiteral(literal),
                  constant.span, {});
}

// Reports a constant that is of the right kind for a type but no value of it.
bool Checker::ReportMember(const Constant& constant, TypeId wanted) {
  const Type& type = policy_.types[wanted];
  const Literal& value = constant.value;
  if (value.type == kIntType && type.kind == TypeKind::kDecimal) {
    Report(DiagnosticKind::kNumberOutOfRange, constant.span,
           "the number does not fit into a decimal");
    return true;
  }
  if (!IsNamed(type.kind)) return false;
  if (value.type == kStringType && !NeedsQuotes(value.text)) {
    Report(DiagnosticKind::kTypeMismatch, constant.span,
           absl::StrCat(
               "expected ",
               type.kind == TypeKind::kEnum ? Describe(wanted) : "a symbol",
               ", found a string"))
        .Help(absl::StrCat("write `", value.text, "` without quotes"));
    return true;
  }
  if (type.kind != TypeKind::kEnum ||
      (value.type != kSymbolType && value.type != kStringType)) {
    return false;
  }
  auto report = Report(
      DiagnosticKind::kUnknownMember, constant.span,
      absl::StrCat("`", value.text, "` is not a member of ", Describe(wanted)));
  const std::string near = Suggest(value.text, type.members);
  if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
  return true;
}

// Reports a bare name where no symbol can stand.
void Checker::ReportUnknownName(const Constant& constant, TypeId wanted) {
  const std::string& name = constant.value.text;
  auto report = Report(DiagnosticKind::kUnknownName, constant.span,
                       absl::StrCat("unknown name `", name, "`"));
  std::vector<std::string> names = {"intent", "payload", "agent", "tenant",
                                    "budget", "now",     "true",  "false"};
  for (const auto& [known, index] : scope_.file->const_index) {
    names.push_back(known);
  }
  for (const auto& [known, index] : scope_.file->def_index) {
    names.push_back(known);
  }
  for (const Variable& variable : scope_.variables) {
    names.push_back(variable.name);
  }
  std::sort(names.begin(), names.end());
  std::string near = PathEndingIn(name);
  if (near.empty()) near = Suggest(name, names);
  if (!near.empty()) {
    report.Help(absl::StrCat("did you mean `", near, "`?"));
  } else if (name == "null") {
    report.Help("`has PATH` tells whether a field is there");
  } else if (wanted == kStringType) {
    report.Help(absl::StrCat("write `\"", name, "\"` for a text"));
  }
}

// Returns the index of a pattern, or -1 after reporting that it is none.
int32_t Checker::AddRegex(const Expr& regex, absl::string_view pattern) {
  if (pattern.size() > static_cast<size_t>(kRegexBytesMax)) {
    Report(DiagnosticKind::kBadRegex, regex.span,
           absl::StrFormat("the regex has %d bytes, more than %d",
                           pattern.size(), kRegexBytesMax))
        .Help("list fixed texts in a set and use `in`");
    return -1;
  }
  const bool ignores_case = regex.number != 0;
  std::pair key(std::string(pattern), ignores_case);
  const auto known = regex_numbers_.find(key);
  if (known != regex_numbers_.end()) return known->second;
  auto compiled = std::make_shared<const CompiledRegex>(pattern, ignores_case);
  if (const std::string error = compiled->error(); !error.empty()) {
    Report(DiagnosticKind::kBadRegex, regex.span,
           absl::StrCat("the regex does not compile: ", error));
    return -1;
  }
  const auto number = static_cast<int32_t>(policy_.regexes.size());
  policy_.regexes.push_back({key.first, ignores_case});
  policy_.compiled_regexes.push_back(std::move(compiled));
  regex_numbers_.emplace(std::move(key), number);
  return number;
}

// Returns the regex that an expression is or names.
std::optional<int32_t> Checker::CheckRegex(ExprId id, absl::string_view what) {
  const Expr& value = expr(id);
  if (value.kind == ExprKind::kError) return std::nullopt;
  if (value.kind == ExprKind::kRegex) {
    const int32_t index = AddRegex(value, ast().text(value));
    if (index < 0) return std::nullopt;
    return index;
  }
  if (value.kind == ExprKind::kPath && value.step_count == 1) {
    const Const* item = FindConst(ast().step(value, 0).text);
    if (item != nullptr && item->kind == ConstKind::kRegex) return item->regex;
    if (item != nullptr && item->kind == ConstKind::kError) return std::nullopt;
  }
  auto report = Report(DiagnosticKind::kNotAConstant, value.span,
                       absl::StrCat(what, " is a regex, or a const of one"));
  if (value.kind == ExprKind::kString) {
    report.Help("write the pattern between slashes: `/…/`");
  }
  return std::nullopt;
}

// Returns the text of a string literal, or of a const of one.
std::optional<std::string> Checker::CheckText(ExprId id,
                                              absl::string_view what) {
  if (expr(id).kind == ExprKind::kError) return std::nullopt;
  const std::optional<Constant> constant = TryConstant(id);
  if (constant.has_value() && constant->value.type == kStringType) {
    return constant->value.text;
  }
  Report(DiagnosticKind::kNotAConstant, expr(id).span,
         absl::StrCat(what, " is a string literal, or a const of one"));
  return std::nullopt;
}

// Returns the constants of a set's members or a range's ends. Reports, and
// leaves out, what is none.
std::vector<Constant> Checker::SetMembers(ExprId id) {
  const Expr& set = expr(id);
  std::vector<Constant> members;
  if (set.child_count > kSetItemsMax) {
    Report(DiagnosticKind::kTooMany, set.op_span,
           absl::StrFormat("the set has %d members, more than %d",
                           set.child_count, kSetItemsMax));
    return members;
  }
  members.reserve(static_cast<size_t>(set.child_count));
  for (int i = 0; i < set.child_count; ++i) {
    const ExprId child = ast().child(set, i);
    if (expr(child).kind == ExprKind::kError) continue;
    std::optional<Constant> member = TryConstant(child);
    if (member.has_value()) {
      members.push_back(std::move(*member));
    } else {
      Report(DiagnosticKind::kNotAConstant, expr(child).span,
             set.kind == ExprKind::kRange
                 ? "the ends of a range are literals"
                 : "the members of a set are literals and names");
    }
  }
  return members;
}

// Returns the set of constants as values of a type. Reports each that can't be
// one.
std::optional<int32_t> Checker::ResolveSet(const std::vector<Constant>& members,
                                           TypeId wanted, bool is_intent_type) {
  ConstantSet set;
  set.element = wanted;
  const TypeKind kind = KindOf(wanted);
  const bool is_text = kind == TypeKind::kString || kind == TypeKind::kSymbol;
  bool ok = !members.empty();
  for (const Constant& member : members) {
    std::optional<Literal> value = Convert(member, wanted);
    if (!value.has_value()) {
      ok = false;
      if (!ReportMember(member, wanted)) {
        Report(DiagnosticKind::kTypeMismatch, member.span,
               absl::StrCat("expected a member of type ", Describe(wanted),
                            ", found ", Describe(member.value.type)));
        return std::nullopt;  // the others are the same mistake
      }
      continue;
    }
    if (is_intent_type) CheckDeclaredType(value->text, member.span);
    if (is_text) {
      set.texts.push_back(std::move(value->text));
    } else {
      set.numbers.push_back(value->number);
    }
  }
  if (!ok) return std::nullopt;
  return nodes_.AddSet(std::move(set));
}

// Returns the range between two constants as values of an ordered type.
std::optional<int32_t> Checker::ResolveRange(const std::vector<Constant>& ends,
                                             TypeId wanted, Span span) {
  if (ends.size() != 2) return std::nullopt;
  if (!IsOrdered(KindOf(wanted))) {
    Report(
        DiagnosticKind::kTypeMismatch, span,
        absl::StrCat("a range of ", Describe(wanted), ", which has no order"));
    return std::nullopt;
  }
  const std::optional<Literal> low = Convert(ends[0], wanted);
  const std::optional<Literal> high = Convert(ends[1], wanted);
  for (const auto& [end, value] :
       {std::pair(&ends[0], &low), std::pair(&ends[1], &high)}) {
    if (value->has_value()) continue;
    if (!ReportMember(*end, wanted)) {
      Report(DiagnosticKind::kTypeMismatch, end->span,
             absl::StrCat("expected the end of a range of ", Describe(wanted),
                          ", found ", Describe(end->value.type)));
    }
  }
  if (!low.has_value() || !high.has_value()) return std::nullopt;
  if (low->number > high->number) {
    Report(DiagnosticKind::kBadRange, span,
           "the range is empty: its low end is above its high end");
    return std::nullopt;
  }
  return nodes_.AddRange({wanted, low->number, high->number});
}

// Reports a name compared with `intent.type` that no type has.
void Checker::CheckDeclaredType(absl::string_view name, Span span) {
  if (declarations_->has_star() || declarations_->is_incomplete()) return;
  if (declarations_->Find(layer(), name) != nullptr) return;
  auto report = Report(DiagnosticKind::kUnknownType, span,
                       absl::StrCat("no intent type `", name, "` is declared"));
  const std::string near = NearestType(name);
  if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
}

// Returns the declared type nearest to a name, or an empty text.
std::string Checker::NearestType(absl::string_view name) {
  if (!MaySearch(policy_.intent_types.size())) return "";
  std::vector<std::string> names;
  for (const DeclaredType* type : declarations_->Visible(layer())) {
    names.push_back(type->name);
  }
  return Suggest(name, names);
}

// Returns whether a hint may look at so many candidates. Ten thousand wrong
// names among ten thousand types would take minutes.
bool Checker::MaySearch(size_t candidates) {
  if (search_budget_ < candidates) return false;
  search_budget_ -= candidates;
  return true;
}

}  // namespace sgl
