#include "tests/differential/family_generator.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <vector>

namespace sgl::tests {
namespace {

using Texts = std::vector<std::string>;

const Texts& Ranges(Kind kind) {
  static const auto* const kRanges = new std::map<Kind, Texts>{
      {Kind::kInt,
       {"0..1", "1..5", "2..2", "-3..250", "5..10", "3..9223372036854775807",
        "-9223372036854775807..0", "250..300"}},
      {Kind::kDecimal, {"0.5..2.5", "-0.5..0.6", "0.0..0.5", "1.0..100000.25"}},
      {Kind::kUsd, {"$1..$5", "$0.05..$1000", "$0..$0.000001", "$250..$250"}},
      {Kind::kDuration, {"1s..24h", "15m..7d", "0s..1s"}},
      {Kind::kTimestamp,
       {"1970-01-01T00:00:00Z..2026-03-02T16:00:00Z",
        "2026-03-02T16:00:00Z..2026-03-08T08:00:00Z"}}};
  const auto found = kRanges->find(kind);
  static const auto* const kNone = new Texts;
  return found == kRanges->end() ? *kNone : found->second;
}

// With and without a beginning that all matches share.
const Texts& FamilyRegexes() {
  static const auto* const kRegexes = new Texts{"/^https:\\/\\/pay/",
                                                "/^US\\d/",
                                                "/^my Secret/",
                                                "/^ab?$/",
                                                "/^a*b/",
                                                "/^a+/",
                                                "/^A/i",
                                                "/^a|b/",
                                                "/^(ab|US)/",
                                                "/^x\\ny/",
                                                "/secret/i",
                                                "/card$/",
                                                "/[0-9]{2}/",
                                                "/^https?:/",
                                                "/^.$/",
                                                "/\\.com/",
                                                "/^ftp:\\/\\/x\\.\\./",
                                                "/^078-05-1{2}/",
                                                "/^$/",
                                                "/bank|login/"};
  return *kRegexes;
}

bool IsOrdered(Kind kind) { return !Ranges(kind).empty(); }

bool IsTested(Kind kind) {
  return IsOrdered(kind) || kind == Kind::kString || kind == Kind::kBool;
}

}  // namespace

FamilyGenerator::FamilyGenerator(Random& random, ExprGenerator& exprs,
                                 const Scope& scope)
    : random_(random), exprs_(exprs), scope_(scope) {
  PickSubject();
}

void FamilyGenerator::PickSubject() {
  std::vector<const VisiblePath*> paths;
  for (const VisiblePath& path : scope_.paths) {
    const bool is_own = path.text.substr(0, 8) == "payload.";
    // The payload's fields thrice: they may be missing.
    if (IsTested(path.type.kind))
      paths.insert(paths.end(), is_own ? 3 : 1, &path);
  }
  const VisiblePath& path = *random_.Pick(paths);
  kind_ = path.type.kind;
  subject_ = path.text;
  if (!path.needs.empty()) {
    if (random_.Chance(30)) {
      subject_ =
          absl::StrCat("(", path.text, " ?? ", exprs_.Literal(kind_), ")");
    } else {
      guard_ = absl::StrCat("has ", path.text);
    }
  }
  // Values that are computed, some of which fault.
  if (kind_ == Kind::kString && random_.Chance(35)) {
    subject_ =
        absl::StrCat(random_.Chance(50) ? "lower(" : "domain(", subject_, ")");
  } else if (kind_ == Kind::kInt && random_.Chance(25)) {
    subject_ = absl::StrCat("(", subject_, " + 1)");
  } else if (kind_ == Kind::kTimestamp && random_.Chance(30)) {
    subject_ = absl::StrCat("hour(", subject_, ", \"UTC\")");
    kind_ = Kind::kInt;
  }
  std::vector<Form> forms = {Form::kEqual, Form::kIn};
  if (IsOrdered(kind_)) {
    forms = {Form::kEqual, Form::kIn, Form::kRange, Form::kRange, Form::kOrder};
  }
  if (kind_ == Kind::kString) {
    forms = {Form::kEqual,  Form::kIn,    Form::kPrefix,
             Form::kPrefix, Form::kRegex, Form::kRegex};
  }
  if (kind_ == Kind::kBool) forms = {Form::kEqual};
  form_ = random_.Pick(forms);
}

std::string FamilyGenerator::Range() const {
  return random_.Pick(Ranges(kind_));
}

std::string FamilyGenerator::Prefix() const {
  for (;;) {
    const std::string& text = random_.Pick(TextPool());
    const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x80;
    });
    if (!is_ascii) continue;
    return SpellString(text.substr(0, random_.Below(text.size() + 1)));
  }
}

std::string FamilyGenerator::Atom(Form form) {
  static const auto* const kOrders = new Texts{" < ", " <= ", " > ", " >= "};
  switch (form) {
    case Form::kEqual:
      return absl::StrCat("(", subject_, random_.Chance(85) ? " == " : " != ",
                          exprs_.Literal(kind_), ")");
    case Form::kIn:
      return absl::StrCat("(", subject_,
                          random_.Chance(85) ? " in " : " not in ",
                          exprs_.Set(kind_), ")");
    case Form::kRange:
      return absl::StrCat("(", subject_, " in ", Range(), ")");
    case Form::kOrder: {
      const std::string literal = exprs_.Literal(kind_);
      const std::string order = random_.Pick(*kOrders);
      return random_.Chance(75)
                 ? absl::StrCat("(", subject_, order, literal, ")")
                 : absl::StrCat("(", literal, order, subject_, ")");
    }
    case Form::kPrefix:
      return absl::StrCat("(", subject_, " starts_with ", Prefix(), ")");
    case Form::kRegex:
      return absl::StrCat("(", subject_, " matches ",
                          random_.Pick(FamilyRegexes()), ")");
  }
  return "true";
}

std::string FamilyGenerator::Condition() {
  // Most are of one form, so that an index of that kind fills.
  std::string condition = Atom(form_);
  if (random_.Chance(12)) condition = absl::StrCat("(not ", condition, ")");
  if (random_.Chance(20)) {
    condition = absl::StrCat("(", condition, " or ", Atom(form_), ")");
  }
  if (random_.Chance(30)) {
    condition =
        absl::StrCat("(", condition, random_.Chance(80) ? " and " : " or ",
                     exprs_.Condition(scope_, 1), ")");
  }
  if (guard_.empty()) return condition;
  return random_.Chance(75)
             ? absl::StrCat(guard_, " and ", condition)
             : absl::StrCat("(not ", guard_, " or ", condition, ")");
}

}  // namespace sgl::tests
