#include "tests/differential/policy_generator.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tests/differential/expr_generator.h"
#include "tests/differential/family_generator.h"

namespace sgl::tests {
namespace {

using Form = VisibleName::Form;
using Types = std::map<std::string, std::vector<NamedType>>;

// A list of records with a list of records in them.
constexpr int kDepth = 4;

// What several types all declare, with one type; optional if optional in any.
std::vector<NamedType> CommonFields(const std::vector<std::string>& on,
                                    const Types& types) {
  std::vector<NamedType> common;
  for (size_t i = 0; i < on.size(); ++i) {
    const auto found = types.find(on[i]);
    if (found == types.end()) return {};
    if (i == 0) {
      common = found->second;
      continue;
    }
    std::vector<NamedType> both;
    for (NamedType field : common) {
      for (const NamedType& other : found->second) {
        if (other.name != field.name) continue;
        if (other.type.Required().Spell() != field.type.Required().Spell()) {
          continue;
        }
        field.type.is_optional |= other.type.is_optional;
        both.push_back(field);
      }
    }
    common = both;
  }
  return common;
}

class PolicyGenerator {
 public:
  explicit PolicyGenerator(Random& random) : random_(random), exprs_(random) {}

  GeneratedPolicy Run();

 private:
  struct FileContext {
    std::string layer;  // empty: the platform; else the tenant's slug
    std::vector<VisibleName> names;
    // Defs that read what only these types declare.
    std::map<std::string, std::vector<VisibleName>> typed_names;
  };

  void DeclareTypes();
  GeneratedFile PlatformFile(int number, bool has_default);
  GeneratedFile TenantFile(const std::string& slug, int number);
  void AddConsts(FileContext& context, GeneratedFile& file);
  void AddDefs(FileContext& context, GeneratedFile& file);
  void AddRules(FileContext& context, GeneratedFile& file);
  std::string Def(FileContext& context, const std::string& type);
  // What a limit allows, for whom, and for how long.
  std::string LimitPart(const FileContext& context);
  // Rules that all test one value against constants.
  void AddFamily(FileContext& context, GeneratedFile& file);
  // A rule, or now and then a limit. Its condition is the family's, if any.
  std::string Rule(const FileContext& context, const std::string& code,
                   const std::vector<std::string>& on, const Scope& scope,
                   FamilyGenerator* family_or_null);
  std::string Message(const Scope& scope, const std::string& guard);
  std::string Demands();
  std::string Declaration(absl::string_view name,
                          const std::vector<NamedType>& fields) const;

  // What an expression sees behind this `on`, in this file.
  Scope MakeScope(const FileContext& context,
                  const std::vector<std::string>& on) const;
  Types VisibleTypes(const std::string& layer) const;
  std::vector<std::string> RandomOn(const std::string& layer);

  Random& random_;
  ExprGenerator exprs_;
  Schema schema_;
  int next_name_ = 0;
};

Types PolicyGenerator::VisibleTypes(const std::string& layer) const {
  Types types = schema_.platform_types;
  const auto own = schema_.tenants.find(layer);
  if (own != schema_.tenants.end()) {
    types.insert(own->second.begin(), own->second.end());
  }
  return types;
}

Scope PolicyGenerator::MakeScope(const FileContext& context,
                                 const std::vector<std::string>& on) const {
  Scope scope;
  AddFixedPaths(&scope.paths);
  const Types types = VisibleTypes(context.layer);
  AddPaths(schema_.star, "payload", "", &scope.paths);
  AddPaths(CommonFields(on, types), "payload", "", &scope.paths);
  for (const auto& [name, fields] : types) {
    scope.declared_types.push_back(name);
  }
  scope.names = context.names;
  if (on.size() == 1) {
    const auto typed = context.typed_names.find(on[0]);
    if (typed != context.typed_names.end()) {
      scope.names.insert(scope.names.end(), typed->second.begin(),
                         typed->second.end());
    }
  }
  return scope;
}

std::vector<std::string> PolicyGenerator::RandomOn(const std::string& layer) {
  std::vector<std::string> on;
  if (random_.Chance(30)) return on;
  const Types types = VisibleTypes(layer);
  std::vector<std::string> names;
  for (const auto& [name, fields] : types) names.push_back(name);
  if (names.empty()) return on;
  for (int i = random_.Chance(75) ? 1 : 2; i > 0; --i) {
    const std::string& name = random_.Pick(names);
    if (std::count(on.begin(), on.end(), name) == 0) on.push_back(name);
  }
  return on;
}

void PolicyGenerator::DeclareTypes() {
  schema_.has_star = random_.Chance(60);
  if (schema_.has_star) schema_.star = RandomFields(random_, "s_", 2, kDepth);
  static const auto* const kNames =
      new std::vector<std::string>{"PAY", "POST", "email.send", "TASK"};
  const int count = random_.Between(schema_.has_star ? 0 : 1, 3);
  for (int i = 0; i < count; ++i) {
    schema_.platform_types[random_.Pick(*kNames)] =
        RandomFields(random_, "", 4, kDepth);
  }
  if (random_.Chance(50)) schema_.tenants["acme"];
  if (random_.Chance(20)) schema_.tenants["globex"];
  for (auto& [slug, types] : schema_.tenants) {
    if (random_.Chance(50)) types["OWN"] = RandomFields(random_, "", 3, kDepth);
  }
}

std::string PolicyGenerator::Declaration(
    absl::string_view name, const std::vector<NamedType>& fields) const {
  std::vector<std::string> lines;
  for (const NamedType& field : fields) {
    lines.push_back(
        absl::StrCat("  ", SpellName(field.name), ": ", field.type.Spell()));
  }
  return absl::StrCat("intent ", name == "*" ? "*" : SpellName(name), " {\n",
                      absl::StrJoin(lines, ",\n"),
                      lines.empty() ? "}\n" : "\n}\n");
}

void PolicyGenerator::AddConsts(FileContext& context, GeneratedFile& file) {
  static const auto* const kKinds =
      new std::vector<Kind>{Kind::kInt,    Kind::kDecimal,   Kind::kUsd,
                            Kind::kString, Kind::kTimestamp, Kind::kDuration};
  for (int i = random_.Between(0, 4); i > 0; --i) {
    VisibleName name;
    name.name = absl::StrCat("C", next_name_++);
    name.kind = random_.Pick(*kKinds);
    std::string value;
    switch (random_.Below(3)) {
      case 0:
        name.form = Form::kScalar;
        value = exprs_.Literal(name.kind);
        if (value.front() == '(') value = value.substr(1, value.size() - 2);
        break;
      case 1:
        name.form = Form::kSet;
        value = exprs_.Set(name.kind);
        break;
      default:
        name.form = Form::kRegex;
        value = random_.Chance(50) ? "/a|secret/i" : "/^https?:\\/\\//";
        break;
    }
    context.names.push_back(name);
    file.items.push_back(absl::StrCat("const ", name.name, " = ", value, "\n"));
  }
}

std::string PolicyGenerator::Def(FileContext& context,
                                 const std::string& type) {
  static const auto* const kKinds = new std::vector<Kind>{
      Kind::kBool, Kind::kBool,    Kind::kBool,   Kind::kInt,
      Kind::kUsd,  Kind::kDecimal, Kind::kString, Kind::kTimestamp};
  std::vector<std::string> on;
  if (!type.empty()) on.push_back(type);
  const Scope scope = MakeScope(context, on);
  VisibleName name;
  name.name = absl::StrCat("d", next_name_++);
  name.form = Form::kDef;
  name.kind = random_.Pick(*kKinds);
  exprs_.Reset();
  std::string value;
  std::vector<const VisiblePath*> optional;
  for (const VisiblePath& path : scope.paths) {
    if (!path.needs.empty()) optional.push_back(&path);
  }
  if (!optional.empty() && random_.Chance(30)) {
    name.kind = Kind::kBool;
    name.guards = random_.Pick(optional)->text;
    value = "has " + name.guards;
    Scope inner = scope;
    inner.guarded.push_back(name.guards);
    if (random_.Chance(50)) {
      absl::StrAppend(&value, " and ", exprs_.Condition(inner, 1));
    }
  } else if (name.kind == Kind::kBool) {
    value = exprs_.Condition(scope, 2);
  } else {
    value = exprs_.Value(name.kind, scope, 2);
  }
  name.has_loop = exprs_.has_loop();
  (type.empty() ? context.names : context.typed_names[type]).push_back(name);
  return absl::StrCat("def ", name.name, " = ", value, "\n");
}

void PolicyGenerator::AddDefs(FileContext& context, GeneratedFile& file) {
  const Types types = VisibleTypes(context.layer);
  std::vector<std::string> names = {""};
  for (const auto& [name, fields] : types) names.push_back(name);
  for (int i = random_.Between(0, 5); i > 0; --i) {
    file.items.push_back(Def(context, random_.Pick(names)));
  }
}

std::string PolicyGenerator::Message(const Scope& scope,
                                     const std::string& guard) {
  std::string text = "\"because";
  Scope guarded = scope;
  if (!guard.empty()) guarded.guarded.push_back(guard);
  for (int i = random_.Between(0, 3); i > 0; --i) {
    const VisiblePath& path = random_.Pick(scope.paths);
    const Kind kind = path.type.kind;
    if (kind == Kind::kList || kind == Kind::kRecord) continue;
    if (guarded.IsUsable(path)) {
      absl::StrAppend(&text, " ${", path.text, "}");
    } else if (kind != Kind::kEnum && kind != Kind::kSymbol &&
               kind != Kind::kString) {
      std::string literal = exprs_.Literal(kind);
      if (literal.front() == '(') {
        literal = literal.substr(1, literal.size() - 2);
      }
      absl::StrAppend(&text, " ${", path.text, " ?? ", literal, "}");
    }
  }
  return text + " at $250\"";
}

std::string PolicyGenerator::Demands() {
  std::string text;
  if (random_.Chance(50)) {
    absl::StrAppend(&text, " risk ", random_.Between(0, 5));
  }
  static const auto* const kRoles =
      new std::vector<std::string>{"compliance", "owner", "compliance, owner",
                                   "owner, compliance", "\"board member\""};
  static const auto* const kWithin =
      new std::vector<std::string>{"24h", "90m", "7d", "30s"};
  for (int i = random_.Between(0, 2); i > 0; --i) {
    absl::StrAppend(&text, " approvals ", random_.Between(1, 3));
    if (random_.Chance(70)) {
      absl::StrAppend(&text, " from ", random_.Pick(*kRoles));
    }
    if (random_.Chance(50)) {
      absl::StrAppend(&text, " within ", random_.Pick(*kWithin));
    }
  }
  return text;
}

std::string PolicyGenerator::LimitPart(const FileContext& context) {
  // Few enough to be exceeded within the requests of one policy; the last two
  // make totals that int64 just holds, or doesn't.
  static const auto* const kAmounts =
      new std::vector<std::string>{"0",
                                   "1",
                                   "2",
                                   "$0 of spend",
                                   "$500 of spend",
                                   "$9223372036854.775807 of spend",
                                   "9223372036854775807"};
  static const auto* const kWindows =
      new std::vector<std::string>{"30s", "8h", "1d", "3650d"};
  std::vector<std::string> scopes = {"agent", "tenant"};
  if (context.layer.empty()) scopes.push_back("platform");
  return absl::StrCat(" ", random_.Pick(*kAmounts), " per ",
                      random_.Pick(scopes), " per ", random_.Pick(*kWindows));
}

std::string PolicyGenerator::Rule(const FileContext& context,
                                  const std::string& code,
                                  const std::vector<std::string>& on,
                                  const Scope& scope,
                                  FamilyGenerator* family_or_null) {
  static const auto* const kKinds =
      new std::vector<std::string>{"review", "review", "block", "allow"};
  std::string kind = random_.Pick(*kKinds);
  if (!context.layer.empty() && kind == "allow") kind = "block";
  const bool is_limit = kind != "allow" && random_.Chance(20);
  std::string guard;
  std::string when;
  if (family_or_null != nullptr) {
    when = family_or_null->Condition();
  } else if (random_.Chance(90)) {
    Scope inner = scope;
    std::vector<std::string> optional;
    for (const VisiblePath& path : scope.paths) {
      if (!path.needs.empty()) optional.push_back(path.text);
    }
    if (!optional.empty() && random_.Chance(35)) {
      guard = random_.Pick(optional);
      inner.guarded.push_back(guard);
      when = absl::StrCat("has ", guard, " and ");
    }
    // A block that seldom applies lets the other rules be heard.
    if (kind == "block" && !is_limit)
      absl::StrAppend(&when, exprs_.Condition(inner, 1), " and ");
    absl::StrAppend(&when, exprs_.Condition(inner, 3));
  }
  std::string text = absl::StrCat(is_limit ? "limit" : kind, " ", code);
  if (random_.Chance(50)) {
    absl::StrAppend(&text, " ", Message(scope, guard));
  }
  if (is_limit) absl::StrAppend(&text, LimitPart(context));
  std::vector<std::string> names;
  for (const std::string& name : on) names.push_back(SpellName(name));
  if (!on.empty()) absl::StrAppend(&text, " on ", absl::StrJoin(names, ", "));
  if (!when.empty()) absl::StrAppend(&text, "\n  when ", when);
  if (is_limit) absl::StrAppend(&text, "\n  else ", kind);
  if (kind == "review") absl::StrAppend(&text, "\n ", Demands());
  return text + "\n";
}

void PolicyGenerator::AddRules(FileContext& context, GeneratedFile& file) {
  for (int i = random_.Between(1, 6); i > 0; --i) {
    // Codes are unique in a layer; the platform and a tenant share some.
    const std::vector<std::string> on = RandomOn(context.layer);
    file.items.push_back(Rule(context, absl::StrCat("RULE_", next_name_++), on,
                              MakeScope(context, on), nullptr));
  }
  if (random_.Chance(40)) AddFamily(context, file);
}

void PolicyGenerator::AddFamily(FileContext& context, GeneratedFile& file) {
  const std::vector<std::string> on = RandomOn(context.layer);
  const Scope scope = MakeScope(context, on);
  FamilyGenerator family(random_, exprs_, scope);
  for (int i = random_.Between(5, 16); i > 0; --i) {
    file.items.push_back(
        Rule(context, absl::StrCat("RULE_", next_name_++), on, scope, &family));
  }
}

GeneratedFile PolicyGenerator::PlatformFile(int number, bool has_default) {
  FileContext context;
  GeneratedFile file;
  file.name = absl::StrCat("p", number, ".sgl");
  file.head = absl::StrCat("policy platform.p", number, " version 1\n",
                           random_.Chance(50) ? "layer platform\n" : "");
  static const auto* const kDefaults =
      new std::vector<std::string>{"allow", "allow", "review", "block"};
  if (has_default) {
    absl::StrAppend(&file.head, "default ", random_.Pick(*kDefaults), "\n");
  }
  if (number == 0) {
    if (schema_.has_star) file.head += Declaration("*", schema_.star);
    for (const auto& [name, fields] : schema_.platform_types) {
      file.head += Declaration(name, fields);
    }
  }
  AddConsts(context, file);
  AddDefs(context, file);
  AddRules(context, file);
  return file;
}

GeneratedFile PolicyGenerator::TenantFile(const std::string& slug, int number) {
  FileContext context;
  context.layer = slug;
  GeneratedFile file;
  // Between the platform's files in the order of names.
  file.name = absl::StrCat("p0_", slug, number, ".sgl");
  file.head = absl::StrCat("policy tenants.", slug, " version ", number,
                           "\nlayer tenant ", SpellString(slug), "\n");
  if (number == 1) {
    for (const auto& [name, fields] : schema_.tenants[slug]) {
      file.head += Declaration(name, fields);
    }
    // Each layer has codes of its own: start over, so that some are shared.
    next_name_ = 0;
  }
  AddConsts(context, file);
  AddDefs(context, file);
  AddRules(context, file);
  return file;
}

GeneratedPolicy PolicyGenerator::Run() {
  DeclareTypes();
  GeneratedPolicy policy;
  policy.files.push_back(PlatformFile(0, random_.Chance(85)));
  if (random_.Chance(25)) policy.files.push_back(PlatformFile(1, false));
  std::vector<std::string> slugs;
  for (const auto& [slug, types] : schema_.tenants) slugs.push_back(slug);
  for (const std::string& slug : slugs) {
    policy.files.push_back(TenantFile(slug, 1));
    if (random_.Chance(20)) policy.files.push_back(TenantFile(slug, 2));
  }
  policy.schema = schema_;
  return policy;
}

}  // namespace

std::vector<SourceFile> GeneratedPolicy::Sources() const {
  std::vector<SourceFile> sources;
  for (const GeneratedFile& file : files) {
    sources.push_back(
        {file.name, absl::StrCat(file.head, absl::StrJoin(file.items, ""))});
  }
  return sources;
}

GeneratedPolicy GeneratePolicy(Random& random) {
  return PolicyGenerator(random).Run();
}

}  // namespace sgl::tests
