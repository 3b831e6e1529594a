#include "tests/differential/expr_generator.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

namespace sgl::tests {
namespace {

using Form = VisibleName::Form;

const std::vector<std::string>& Regexes() {
  static const auto* const kRegexes =
      new std::vector<std::string>{"/a/",
                                   "/^US\\d+/",
                                   "/secret|card/i",
                                   "/^.$/",
                                   "/\\/login/",
                                   "/\\b\\d{3}-\\d{2}-\\d{4}\\b/",
                                   "/paypal/",
                                   "/(^|\\.)PAYPAL\\.com$/i",
                                   "/\xc3\x9c/",
                                   "/[[:cntrl:]]/"};
  return *kRegexes;
}

const std::vector<std::string>& Zones() {
  static const auto* const kZones = new std::vector<std::string>{
      "America/Chicago", "UTC", "Asia/Kolkata", "Australia/Lord_Howe"};
  return *kZones;
}

bool IsNumeric(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kDecimal || kind == Kind::kUsd ||
         kind == Kind::kDuration;
}

bool IsOrdered(Kind kind) {
  return IsNumeric(kind) || kind == Kind::kTimestamp;
}

bool IsCompared(Kind kind) {
  return kind != Kind::kList && kind != Kind::kRecord && kind != Kind::kEnum &&
         kind != Kind::kSymbol;
}

SglType Scalar(Kind kind) {
  SglType type;
  type.kind = kind;
  return type;
}

SglType Enum(std::vector<std::string> members) {
  SglType type = Scalar(Kind::kEnum);
  type.members = std::move(members);
  return type;
}

// Whether knowing that `known` is there says that `path` is.
bool Covers(const std::string& known, const std::string& path) {
  return known == path || absl::StartsWith(known, path + ".") ||
         absl::StartsWith(known, path + "[");
}

std::string Step(absl::string_view base, absl::string_view name) {
  const std::string spelled = SpellName(name);
  return spelled.front() == '"' ? absl::StrCat(base, "[", spelled, "]")
                                : absl::StrCat(base, ".", spelled);
}

}  // namespace

bool Scope::IsUsable(const VisiblePath& path) const {
  if (path.needs.empty()) return true;
  return std::any_of(
      guarded.begin(), guarded.end(),
      [&](const std::string& known) { return Covers(known, path.needs); });
}

void AddPaths(const std::vector<NamedType>& fields, absl::string_view base,
              absl::string_view needs, std::vector<VisiblePath>* paths) {
  for (const NamedType& field : fields) {
    VisiblePath path;
    path.text = Step(base, field.name);
    path.type = field.type.Required();
    path.needs = field.type.is_optional ? path.text : std::string(needs);
    paths->push_back(path);
    if (field.type.kind == Kind::kRecord) {
      AddPaths(field.type.fields, path.text, path.needs, paths);
    }
  }
}

void AddFixedPaths(std::vector<VisiblePath>* paths) {
  SglType labels = Scalar(Kind::kList);
  labels.element = std::make_shared<const SglType>(Scalar(Kind::kString));
  const std::vector<VisiblePath> fixed = {
      {"intent.id", Scalar(Kind::kString), ""},
      {"intent.type", Scalar(Kind::kSymbol), ""},
      {"intent.requested_by", Scalar(Kind::kString), ""},
      {"intent.spend", Scalar(Kind::kUsd), ""},
      {"intent.data_class", Enum({"NONE", "PII", "PHI"}), ""},
      {"intent.created_at", Scalar(Kind::kTimestamp), ""},
      {"agent.known", Scalar(Kind::kBool), ""},
      {"agent.id", Scalar(Kind::kString), ""},
      {"agent.name", Scalar(Kind::kString), ""},
      {"agent.role", Scalar(Kind::kString), ""},
      {"agent.status", Scalar(Kind::kString), ""},
      {"agent.tier", Scalar(Kind::kInt), ""},
      {"agent.labels", labels, ""},
      {"tenant.id", Scalar(Kind::kString), ""},
      {"tenant.slug", Scalar(Kind::kString), ""},
      {"tenant.seat", Enum({"free_beta", "starter", "pro", "enterprise"}), ""},
      {"budget.exists", Scalar(Kind::kBool), ""},
      {"budget.remaining", Scalar(Kind::kUsd), ""},
      {"budget.used", Scalar(Kind::kDecimal), ""},
      {"now", Scalar(Kind::kTimestamp), ""},
  };
  paths->insert(paths->end(), fixed.begin(), fixed.end());
}

std::string ExprGenerator::Literal(Kind kind) {
  return random_.Pick(LiteralPool(kind));
}

std::string ExprGenerator::Set(Kind kind) {
  std::vector<std::string> members;
  for (int i = random_.Between(1, 5); i > 0; --i) {
    std::string member = Literal(kind);
    if (absl::StartsWith(member, "(")) {
      member = member.substr(1, member.size() - 2);
    }
    if (std::count(members.begin(), members.end(), member) == 0) {
      members.push_back(member);
    }
  }
  return absl::StrCat("{", absl::StrJoin(members, ", "), "}");
}

const VisiblePath* ExprGenerator::PathOf(Kind kind, const Scope& scope) {
  std::vector<const VisiblePath*> paths;
  for (const VisiblePath& path : scope.paths) {
    if (path.type.kind != kind || !scope.IsUsable(path)) continue;
    // What a policy declares is more interesting than what is always there.
    const bool is_fixed = path.needs.empty() && path.text[0] != 'p';
    paths.insert(paths.end(), is_fixed ? 1 : 4, &path);
  }
  return paths.empty() ? nullptr : random_.Pick(paths);
}

std::string ExprGenerator::Coalesced(Kind kind, const Scope& scope, int depth) {
  std::vector<const VisiblePath*> paths;
  for (const VisiblePath& path : scope.paths) {
    if (path.type.kind == kind && !path.needs.empty()) paths.push_back(&path);
  }
  if (paths.empty()) return Literal(kind);
  return absl::StrCat("(", random_.Pick(paths)->text, " ?? ",
                      Value(kind, scope, depth - 1), ")");
}

const VisibleName* ExprGenerator::NameOf(Form form, Kind kind,
                                         const Scope& scope) {
  std::vector<const VisibleName*> names;
  for (const VisibleName& name : scope.names) {
    if (name.form != form) continue;
    if (form != Form::kRegex && name.kind != kind) continue;
    if (name.has_loop && scope.loop_depth > 0) continue;
    names.push_back(&name);
  }
  if (names.empty()) return nullptr;
  const VisibleName* const name = random_.Pick(names);
  has_loop_ |= name->has_loop;
  return name;
}

std::string ExprGenerator::Condition(const Scope& scope, int depth) {
  if (depth <= 0) return Atom(scope, 0);
  switch (random_.Below(10)) {
    case 0:
    case 1:
    case 2:
      return Junction(scope, depth);
    case 3:
      return absl::StrCat("(not ", Condition(scope, depth - 1), ")");
    case 4:
    case 5:
      return Guarded(scope, depth);
    case 6: {
      static const auto* const kWords =
          new std::vector<std::string>{"any", "all"};
      const std::string loop = Loop(random_.Pick(*kWords), scope, depth);
      return loop.empty() ? Atom(scope, depth) : loop;
    }
    default:
      return Atom(scope, depth);
  }
}

std::string ExprGenerator::Junction(const Scope& scope, int depth) {
  std::vector<std::string> parts;
  for (int i = random_.Between(2, 3); i > 0; --i) {
    parts.push_back(Condition(scope, depth - 1));
  }
  return absl::StrCat(
      "(", absl::StrJoin(parts, random_.Chance(50) ? " and " : " or "), ")");
}

std::string ExprGenerator::Guarded(const Scope& scope, int depth) {
  std::vector<const VisiblePath*> paths;
  for (const VisiblePath& path : scope.paths) {
    if (!path.needs.empty()) paths.push_back(&path);
  }
  Scope inner = scope;
  std::string guard;
  for (const VisibleName& name : scope.names) {
    const bool fits = !name.has_loop || scope.loop_depth == 0;
    if (name.guards.empty() || !fits || !random_.Chance(40)) continue;
    guard = name.name;
    has_loop_ |= name.has_loop;
    inner.guarded.push_back(name.guards);
    break;
  }
  if (guard.empty()) {
    if (paths.empty()) return Atom(scope, depth);
    const VisiblePath* const path = random_.Pick(paths);
    guard = "has " + path->text;
    inner.guarded.push_back(path->text);
  }
  const std::string body = Condition(inner, depth - 1);
  return random_.Chance(65) ? absl::StrCat("(", guard, " and ", body, ")")
                            : absl::StrCat("(not ", guard, " or ", body, ")");
}

std::string ExprGenerator::Atom(const Scope& scope, int depth) {
  switch (random_.Below(14)) {
    case 0:
      return EnumTest(scope);
    case 12:
    case 13:
      return ExactTest(scope, depth);
    case 1:
      return SymbolTest(scope);
    case 2:
    case 3:
      return Membership(scope, depth);
    case 4:
    case 5:
      return TextTest(scope, depth);
    case 6:
      return ListTest(scope, depth);
    case 7:
      return random_.Chance(70)
                 ? absl::StrCat("scan(payload, ", Regex(scope), ")")
                 : absl::StrCat("connected(\"",
                                random_.Chance(50) ? "google" : "m365", "\")");
    case 8:
      return Value(Kind::kBool, scope, depth);
    default:
      return Comparison(scope, depth);
  }
}

std::string ExprGenerator::Comparison(const Scope& scope, int depth) {
  // Kinds that something here can be read of, so that literals seldom meet.
  std::vector<Kind> kinds = {Kind::kInt};
  for (const VisiblePath& path : scope.paths) {
    if (IsCompared(path.type.kind)) kinds.push_back(path.type.kind);
  }
  const Kind kind = random_.Pick(kinds);
  static const auto* const kOrders =
      new std::vector<std::string>{" < ", " <= ", " > ", " >= "};
  std::string op = random_.Chance(50) ? " == " : " != ";
  if (IsOrdered(kind) && random_.Chance(75)) op = random_.Pick(*kOrders);
  std::string left = Value(kind, scope, depth);
  std::string right = Value(kind, scope, depth - 1);
  const VisiblePath* const path = PathOf(kind, scope);
  if (path != nullptr && random_.Chance(60)) left = path->text;
  // An int literal may stand for a decimal, where the other side is one.
  if (kind == Kind::kDecimal && path != nullptr && random_.Chance(20)) {
    left = path->text;
    right = std::to_string(random_.Below(4));
  }
  return absl::StrCat("(", left, op, right, ")");
}

std::string ExprGenerator::ExactTest(const Scope& scope, int depth) {
  // Products that end in a half, which rounds to even.
  static const auto* const kTies = new std::vector<std::string>{
      "0.0", "0.000000001", "0.000000002", "0.000000003", "(-0.000000001)"};
  static const auto* const kMicroTies = new std::vector<std::string>{
      "$0", "$0.000001", "$0.000002", "$0.000003", "$0.000004"};
  static const auto* const kOps =
      new std::vector<std::string>{" == ", " != ", " < ", " >= "};
  const std::string& op = random_.Pick(*kOps);
  const VisiblePath* const decimal = PathOf(Kind::kDecimal, scope);
  const VisiblePath* const usd = PathOf(Kind::kUsd, scope);
  if (decimal != nullptr && random_.Chance(25)) {
    return absl::StrCat("(", decimal->text, " * ", random_.Pick(*kTies), op,
                        random_.Pick(*kTies), ")");
  }
  if (usd != nullptr && random_.Chance(25)) {
    return absl::StrCat("(", usd->text,
                        random_.Chance(50) ? " * 0.5" : " * 1.5", op,
                        random_.Pick(*kMicroTies), ")");
  }
  return absl::StrCat("(", IntCall(scope, std::max(depth, 1)), op,
                      random_.Between(0, random_.Chance(70) ? 7 : 24), ")");
}

std::string ExprGenerator::Member(const VisiblePath& path, const Scope& scope) {
  if (path.type.kind == Kind::kEnum) {
    return SpellName(random_.Pick(path.type.members));
  }
  if (path.text == "intent.type" && !scope.declared_types.empty()) {
    return SpellName(random_.Pick(scope.declared_types));
  }
  return random_.Pick(SymbolPool());
}

std::string ExprGenerator::Members(const VisiblePath& path,
                                   const Scope& scope) {
  std::vector<std::string> members;
  for (int i = random_.Between(1, 3); i > 0; --i) {
    const std::string member = Member(path, scope);
    if (std::count(members.begin(), members.end(), member) == 0) {
      members.push_back(member);
    }
  }
  return absl::StrCat("{", absl::StrJoin(members, ", "), "}");
}

std::string ExprGenerator::EnumTest(const Scope& scope) {
  const VisiblePath* const path = PathOf(Kind::kEnum, scope);
  if (path == nullptr) return "(agent.tier == 1)";
  if (random_.Chance(40)) {
    return absl::StrCat("(", path->text,
                        random_.Chance(70) ? " in " : " not in ",
                        Members(*path, scope), ")");
  }
  return absl::StrCat("(", path->text, random_.Chance(60) ? " == " : " != ",
                      Member(*path, scope), ")");
}

std::string ExprGenerator::SymbolTest(const Scope& scope) {
  const VisiblePath* const path = PathOf(Kind::kSymbol, scope);
  // Which symbols `intent.type` may equal depends on what is declared.
  if (path == nullptr ||
      (path->text == "intent.type" && scope.declared_types.empty())) {
    return "(intent.spend > $3)";
  }
  if (random_.Chance(40)) {
    return absl::StrCat("(", path->text,
                        random_.Chance(70) ? " in " : " not in ",
                        Members(*path, scope), ")");
  }
  return absl::StrCat("(", path->text, random_.Chance(60) ? " == " : " != ",
                      Member(*path, scope), ")");
}

std::string ExprGenerator::Membership(const Scope& scope, int depth) {
  static const auto* const kKinds =
      new std::vector<Kind>{Kind::kInt,    Kind::kDecimal,   Kind::kUsd,
                            Kind::kString, Kind::kTimestamp, Kind::kDuration};
  const Kind kind = random_.Pick(*kKinds);
  const std::string value = Value(kind, scope, depth);
  const std::string in = random_.Chance(75) ? " in " : " not in ";
  if (IsOrdered(kind) && random_.Chance(50)) {
    static const auto* const kRanges =
        new std::vector<std::pair<Kind, std::string>>{
            {Kind::kInt, "1..5"},
            {Kind::kInt, "-3..250"},
            {Kind::kDecimal, "0.5..2.5"},
            {Kind::kDecimal, "-0.5..0.6"},
            {Kind::kUsd, "$1..$5"},
            {Kind::kUsd, "$0.05..$1000"},
            {Kind::kDuration, "1s..24h"},
            {Kind::kTimestamp, "1970-01-01T00:00:00Z..2026-03-02T16:00:00Z"}};
    for (;;) {
      const auto& [of, range] = random_.Pick(*kRanges);
      if (of == kind) return absl::StrCat("(", value, in, range, ")");
    }
  }
  const VisibleName* const name = NameOf(Form::kSet, kind, scope);
  return absl::StrCat(
      "(", value, in,
      name != nullptr && random_.Chance(60) ? name->name : Set(kind), ")");
}

std::string ExprGenerator::Regex(const Scope& scope) {
  const VisibleName* const name = NameOf(Form::kRegex, Kind::kString, scope);
  return name != nullptr && random_.Chance(50) ? name->name
                                               : random_.Pick(Regexes());
}

std::string ExprGenerator::TextTest(const Scope& scope, int depth) {
  const std::string left = Value(Kind::kString, scope, depth);
  static const auto* const kWords = new std::vector<std::string>{
      " starts_with ", " ends_with ", " contains "};
  if (random_.Chance(50)) {
    return absl::StrCat("(", left, " matches ", Regex(scope), ")");
  }
  return absl::StrCat("(", left, random_.Pick(*kWords),
                      Value(Kind::kString, scope, depth - 1), ")");
}

std::string ExprGenerator::ListTest(const Scope& scope, int depth) {
  const VisiblePath* const list = PathOf(Kind::kList, scope);
  if (list == nullptr) return Comparison(scope, depth);
  const SglType& element = *list->type.element;
  std::string item;
  if (element.kind == Kind::kEnum) {
    item = SpellName(random_.Pick(element.members));
  } else if (element.kind == Kind::kSymbol) {
    item = random_.Pick(SymbolPool());
  } else if (IsCompared(element.kind)) {
    item = Value(element.kind, scope, depth - 1);
  } else {
    return absl::StrCat("(size(", list->text, ") > ", random_.Below(4), ")");
  }
  // A bare name is no operand of `in` on its left.
  const bool can_be_left =
      element.kind != Kind::kEnum && element.kind != Kind::kSymbol;
  return can_be_left && random_.Chance(50)
             ? absl::StrCat("(", item, random_.Chance(70) ? " in " : " not in ",
                            list->text, ")")
             : absl::StrCat("(", list->text, " contains ", item, ")");
}

std::string ExprGenerator::Loop(absl::string_view word, const Scope& scope,
                                int depth) {
  if (scope.loop_depth >= 3) return "";
  std::vector<const VisiblePath*> lists;
  for (const VisiblePath& path : scope.paths) {
    if (path.type.kind != Kind::kList || !scope.IsUsable(path)) continue;
    // A nested loop walks a list of the element around it.
    const std::string own = absl::StrCat("x", scope.loop_depth);
    if (scope.loop_depth > 0 && !Covers(path.text, own)) continue;
    lists.push_back(&path);
  }
  if (lists.empty()) return "";
  const VisiblePath& list = *random_.Pick(lists);
  has_loop_ = true;
  Scope inner = scope;
  ++inner.loop_depth;
  const SglType& element = *list.type.element;
  VisiblePath item;
  item.text = absl::StrCat("x", inner.loop_depth);
  item.type = element.Required();
  if (element.is_optional) item.needs = item.text;
  // Thrice, so that bodies speak of their element.
  for (int i = 0; i < 3; ++i) {
    inner.paths.push_back(item);
    if (element.kind == Kind::kRecord) {
      AddPaths(element.fields, item.text, item.needs, &inner.paths);
    }
  }
  return absl::StrCat("(", word, " ", item.text, " in ", list.text, ": ",
                      Condition(inner, depth - 1), ")");
}

std::string ExprGenerator::Value(Kind kind, const Scope& scope, int depth) {
  if (random_.Chance(8)) {
    const VisibleName* const name = NameOf(Form::kScalar, kind, scope);
    if (name != nullptr) return name->name;
  }
  if (random_.Chance(15)) {
    const VisibleName* const name = NameOf(Form::kDef, kind, scope);
    if (name != nullptr) return name->name;
  }
  const VisiblePath* const path = PathOf(kind, scope);
  if (depth <= 0 || random_.Chance(40)) {
    return path != nullptr && random_.Chance(75) ? path->text : Literal(kind);
  }
  if (random_.Chance(25)) return Coalesced(kind, scope, depth);
  switch (kind) {
    case Kind::kInt:
      return random_.Chance(50) ? IntCall(scope, depth)
                                : Arithmetic(kind, scope, depth);
    case Kind::kDecimal:
    case Kind::kUsd:
    case Kind::kDuration:
    case Kind::kTimestamp:
      return Arithmetic(kind, scope, depth);
    case Kind::kString:
      return absl::StrCat(random_.Chance(50) ? "lower(" : "domain(",
                          Value(kind, scope, depth - 1), ")");
    case Kind::kBool:
      return Condition(scope, depth - 1);
    default:
      return Literal(kind);
  }
}

std::string ExprGenerator::Arithmetic(Kind kind, const Scope& scope,
                                      int depth) {
  const auto value = [&](Kind of) { return Value(of, scope, depth - 1); };
  const std::string plus = random_.Chance(50) ? " + " : " - ";
  if (kind == Kind::kTimestamp) {
    return absl::StrCat("(", value(kind), plus, value(Kind::kDuration), ")");
  }
  switch (random_.Below(5)) {
    case 0:
      return absl::StrCat("(-", value(kind), ")");
    case 1: {
      Kind factor = kind == Kind::kDecimal ? Kind::kDecimal : Kind::kInt;
      if (kind == Kind::kUsd && random_.Chance(60)) factor = Kind::kDecimal;
      return absl::StrCat("(", value(kind), " * ", value(factor), ")");
    }
    case 2: {
      const std::string sum = Sum(kind, scope);
      if (!sum.empty()) return sum;
      break;
    }
    case 3:
      if (kind == Kind::kDuration) {
        return absl::StrCat("(", value(Kind::kTimestamp), " - ",
                            value(Kind::kTimestamp), ")");
      }
      break;
    default:
      break;
  }
  return absl::StrCat("(", value(kind), plus, value(kind), ")");
}

std::string ExprGenerator::IntCall(const Scope& scope, int depth) {
  switch (random_.Below(4)) {
    case 0: {
      const std::string loop = Loop("count", scope, depth);
      if (!loop.empty()) return loop;
      break;
    }
    case 1: {
      const VisiblePath* const list = PathOf(Kind::kList, scope);
      if (list != nullptr) return absl::StrCat("size(", list->text, ")");
      break;
    }
    case 2:
      return absl::StrCat(random_.Chance(50) ? "hour(" : "weekday(",
                          Value(Kind::kTimestamp, scope, depth - 1), ", \"",
                          random_.Pick(Zones()), "\")");
    default:
      break;
  }
  return absl::StrCat("size(", Value(Kind::kString, scope, depth - 1), ")");
}

std::string ExprGenerator::Sum(Kind kind, const Scope& scope) {
  std::vector<std::string> sums;
  for (const VisiblePath& path : scope.paths) {
    if (path.type.kind != Kind::kList || !scope.IsUsable(path)) continue;
    const SglType& element = *path.type.element;
    if (element.kind != Kind::kRecord || element.is_optional) continue;
    for (const NamedType& field : element.fields) {
      if (field.type.kind != kind || field.type.is_optional) continue;
      sums.push_back(
          absl::StrCat("sum(", path.text, ", ", SpellName(field.name), ")"));
    }
  }
  return sums.empty() ? "" : random_.Pick(sums);
}

}  // namespace sgl::tests
