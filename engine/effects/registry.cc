#include "engine/effects/registry.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "base/check.h"
#include "base/zones.h"
#include "engine/effects/families.h"

namespace sgl::engine {
namespace {

std::vector<EffectDecl> AllDecls() {
  std::vector<EffectDecl> all;
  for (const auto& family :
       {TicketEffects(), KnowledgeBaseEffects(), CrmEffects(), AssetEffects(),
        MoneyEffects(), DirectoryEffects(), IntegrationEffects()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

bool IsOptional(const EffectField& field) {
  return absl::EndsWith(field.type, "?");
}

// A rule for a payload that changes nothing.
std::string ChangeRule(const EffectDecl& decl) {
  std::vector<std::string> names;
  std::vector<std::string> missing;
  for (const EffectField& field : decl.fields) {
    if (!IsOptional(field)) continue;
    names.push_back(absl::StrCat("`", field.name, "`"));
    missing.push_back(absl::StrCat("not has payload.", field.name));
  }
  return absl::StrCat("block NOTHING_TO_CHANGE_", decl.intent_type,
                      " \"give at least one of ", absl::StrJoin(names, ", "),
                      "\" on ", decl.intent_type, " when ",
                      absl::StrJoin(missing, " and "), "\n");
}

std::string PolicyOf(const std::vector<EffectDecl>& decls) {
  std::string text = "policy effects version 1\ndefault allow\n";
  for (const EffectDecl& decl : decls) {
    absl::StrAppend(&text, "intent ", decl.intent_type, " ",
                    PayloadDeclaration(decl), "\n");
    if (decl.needs_change) text += ChangeRule(decl);
  }
  return text;
}

}  // namespace

std::string PayloadDeclaration(const EffectDecl& decl) {
  return absl::StrCat(
      "{ ",
      absl::StrJoin(decl.fields, ", ",
                    [](std::string* out, const EffectField& field) {
                      absl::StrAppend(out, field.name, ": ", field.type);
                    }),
      " }");
}

EffectRegistry::EffectRegistry() : decls_(AllDecls()) {
  for (const EffectDecl& decl : decls_) {
    SGL_CHECK(by_type_.emplace(decl.intent_type, &decl).second)
        << decl.intent_type;
  }
  const std::vector<SourceFile> sources = {{"effects.sgl", PolicyOf(decls_)}};
  const Compilation compilation = Compile(sources, Zones());
  SGL_CHECK(compilation.program != nullptr) << compilation.Render();
  program_ = compilation.program;
}

const EffectDecl* EffectRegistry::Find(absl::string_view intent_type) const {
  const auto found = by_type_.find(intent_type);
  return found == by_type_.end() ? nullptr : found->second;
}

std::string EffectRegistry::WhyNotFitting(const EffectDecl& decl,
                                          absl::string_view payload) const {
  Request request;
  request.intent.type = decl.intent_type;
  request.intent.payload = payload;
  const Decision decision = Evaluate(*program_, request);
  if (decision.kind == DecisionKind::kAllow) return "";
  SGL_CHECK(!decision.reasons.empty()) << decl.intent_type;
  return decision.reasons.front().message;
}

}  // namespace sgl::engine
