// Consts and defs: their names, the values of consts, and defs in use.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/limits.h"

namespace sgl {
namespace {

// Returns a literal that may stand in for a value in a message.
absl::string_view DefaultFor(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
      return "\"none\"";
    case TypeKind::kInt:
      return "0";
    case TypeKind::kDecimal:
      return "0.0";
    case TypeKind::kUsd:
      return "$0";
    case TypeKind::kDuration:
      return "0s";
    case TypeKind::kBool:
      return "false";
    default:
      return "…";
  }
}

}  // namespace

void Checker::CollectBindings(File& file) {
  absl::flat_hash_map<std::string, Span> seen;
  const auto is_new = [&](const Name& name) {
    const auto [first, added] = seen.emplace(name.text, name.span);
    if (!added) {
      Report(DiagnosticKind::kDuplicateName, name.span,
             absl::StrCat("`", name.text, "` is declared twice"))
          .Note(first->second, "declared here first");
    }
    return added;
  };
  for (const BindingSyntax& item : file.ast->consts) {
    if (!is_new(item.name)) continue;
    ReportTaken(file, item.name);
    file.const_index.emplace(item.name.text, file.consts.size());
    file.consts.emplace_back();
    file.consts.back().syntax = &item;
  }
  for (const BindingSyntax& item : file.ast->defs) {
    if (!is_new(item.name)) continue;
    ReportTaken(file, item.name);
    file.def_index.emplace(item.name.text, file.defs.size());
    file.defs.emplace_back();
    file.defs.back().syntax = &item;
  }
  // INVARIANT: the vectors don't grow from here on; scopes point into them.
  for (Const& item : file.consts) CheckConst(file, item);
}

// Reports a name that expressions would not find, because a symbol has it.
void Checker::ReportTaken(const File& file, const Name& name) {
  const auto [what, span] = declarations_->Taken(file.layer, name.text);
  if (what.empty()) return;
  auto report = Report(DiagnosticKind::kNameCollision, name.span,
                       absl::StrCat("`", name.text, "` is also ", what));
  if (span.file != FileId::kNone) report.Note(span, "declared here");
}

void Checker::CheckConst(File& file, Const& item) {
  scope_ = Scope{};
  scope_.file = &file;
  const ExprId id = item.syntax->value;
  const Expr& value = expr(id);
  switch (value.kind) {
    case ExprKind::kError:
      return;
    case ExprKind::kRegex:
      item.kind = ConstKind::kRegex;
      item.regex = AddRegex(value, ast().text(value));
      if (item.regex < 0) item.kind = ConstKind::kError;
      return;
    case ExprKind::kSet:
      item.kind = ConstKind::kSet;
      item.members = SetMembers(id);
      return CheckSetMembers(item);
    case ExprKind::kRange:
      item.members = SetMembers(id);
      if (item.members.size() != 2) return;
      item.kind = ConstKind::kRange;
      return CheckRangeEnds(item, value.span);
    default:
      break;
  }
  const std::optional<Constant> literal = TryConstant(id);
  if (literal.has_value()) {
    item.kind = ConstKind::kLiteral;
    item.literal = *literal;
    item.literal.is_bare = false;
    return;
  }
  Report(DiagnosticKind::kNotAConstant, value.span,
         "a const is a literal, a set, a range or a regex")
      .Help("name what has to be computed with `def`");
}

// Reports members of a const that no one type holds. Which type it is shows
// only where the const is used.
void Checker::CheckSetMembers(Const& item) {
  if (item.members.empty()) {
    item.kind = ConstKind::kError;
    return;
  }
  TypeId shared = item.members[0].value.type;
  for (const Constant& member : item.members) {
    const TypeId type = member.value.type;
    if (type == kDecimalType && shared == kIntType) shared = type;
    if (type == kSymbolType && shared == kStringType) shared = type;
  }
  for (const Constant& member : item.members) {
    if (Convert(member, shared).has_value()) continue;
    Report(DiagnosticKind::kTypeMismatch, member.span,
           absl::StrCat("a set of ", Describe(shared), " with a member of ",
                        Describe(member.value.type)));
    item.kind = ConstKind::kError;
    return;
  }
}

void Checker::CheckRangeEnds(Const& item, Span span) {
  TypeId type = item.members[0].value.type;
  if (type == kIntType) type = item.members[1].value.type;
  if (!ResolveRange(item.members, type, span).has_value()) {
    item.kind = ConstKind::kError;
  }
}

// Returns the const of that name in the file at hand, and marks it used.
Checker::Const* Checker::FindConst(absl::string_view name) {
  const auto found = scope_.file->const_index.find(name);
  if (found == scope_.file->const_index.end()) return nullptr;
  Const& item = scope_.file->consts[found->second];
  item.is_used = true;
  return &item;
}

Checker::Def* Checker::FindDef(absl::string_view name) {
  const auto found = scope_.file->def_index.find(name);
  if (found == scope_.file->def_index.end()) return nullptr;
  Def& def = scope_.file->defs[found->second];
  def.is_used = true;
  return &def;
}

// Checks a def in the context at hand, the first time that it is used there,
// and holds the use to what it requires.
Checked Checker::CheckDefUse(Def& def, Span use) {
  const auto [found, is_new] = def.uses.try_emplace(scope_.context);
  DefUse& checked = found->second;
  if (is_new) {
    Scope own;
    own.file = scope_.file;
    own.context = scope_.context;
    own.requirements_or_null = &checked.requirements;
    std::swap(scope_, own);
    checked.result = CheckExpr(def.syntax->value, TypeId::kNone);
    std::swap(scope_, own);
    checked.is_done = true;
  } else if (!checked.is_done) {
    Report(DiagnosticKind::kRecursiveDef, use,
           absl::StrCat("the def `", def.syntax->name.text, "` uses itself"))
        .Note(def.syntax->name.span, "declared here");
    return {};
  }
  MeetRequirements(checked.requirements);
  return checked.result;
}

// Returns whether `on` names no type, which is reported: what its fields are
// can't be told.
bool Checker::IsOnUnknown() const {
  return contexts_[static_cast<size_t>(scope_.context)].kind ==
         OnContext::Kind::kUnknown;
}

// Holds what a def reads against the guards at its use. Inside another def an
// unmet requirement becomes that def's.
void Checker::MeetRequirements(const std::vector<Requirement>& requirements) {
  for (const Requirement& requirement : requirements) {
    if (scope_.facts.contains(requirement.key)) continue;
    std::vector<Requirement>* own = scope_.requirements_or_null;
    if (own == nullptr && IsOnUnknown()) continue;
    if (own == nullptr) {
      auto report =
          Report(DiagnosticKind::kMissingGuard, requirement.span,
                 absl::StrCat("`", requirement.missing, "` may be missing"));
      if (scope_.is_message) {
        report.Help(absl::StrCat(
            "give a default: `${", requirement.path, " ?? ",
            DefaultFor(KindOf(policy_.types.Required(requirement.type))),
            "}`"));
        continue;
      }
      report.Help(absl::StrCat("guard it: `has ", requirement.missing,
                               " and …`, or give a default: `",
                               requirement.path, " ?? …`"));
      continue;
    }
    // One a path: 60 chained defs must not cost 2^60.
    bool is_known = false;
    for (const Requirement& known : *own) {
      is_known = is_known || known.key == requirement.key;
    }
    if (!is_known) own->push_back(requirement);
  }
}

}  // namespace sgl
