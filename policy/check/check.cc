// The run: layers, declarations, rules, and what nothing used.

#include "policy/check/check.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "policy/check/checker.h"
#include "policy/check/warnings.h"
#include "policy/limits.h"

namespace sgl {

std::vector<std::string> NamedZones(absl::Span<const Ast> files) {
  std::set<std::string> zones;
  for (const Ast& ast : files) {
    std::map<absl::string_view, absl::string_view> strings;
    for (const BindingSyntax& item : ast.consts) {
      const Expr& value = ast.expr(item.value);
      if (value.kind == ExprKind::kString) {
        strings.emplace(item.name.text, ast.text(value));
      }
    }
    for (const Expr& call : ast.exprs) {
      if (call.kind != ExprKind::kCall || call.child_count < 2) continue;
      const std::string& function = ast.step(call, 0).text;
      if (function != "hour" && function != "weekday") continue;
      const Expr& zone = ast.expr(ast.child(call, 1));
      if (zone.kind == ExprKind::kString) {
        zones.emplace(ast.text(zone));
      } else if (zone.kind == ExprKind::kPath) {
        const auto found = strings.find(ast.step(zone, 0).text);
        if (found != strings.end()) zones.emplace(found->second);
      }
    }
  }
  return {zones.begin(), zones.end()};
}

CheckedPolicy Check(const SourceSet& sources, absl::Span<const Ast> files,
                    const Zones& zones, Diagnostics& diagnostics) {
  SGL_CHECK_EQ(static_cast<size_t>(sources.size()), files.size());
  return Checker(sources, files, zones, diagnostics).Run();
}

Checker::Checker(const SourceSet& sources, absl::Span<const Ast> files,
                 const Zones& zones, Diagnostics& diagnostics)
    : sources_(sources),
      asts_(files),
      zones_(zones),
      diagnostics_(diagnostics),
      nodes_(policy_) {}

CheckedPolicy Checker::Run() {
  if (asts_.size() > static_cast<size_t>(kFilesMax)) {
    Report(DiagnosticKind::kTooMany, {FileId{0}, 0, 0},
           absl::StrFormat("more than %d files", kFilesMax));
    return std::move(policy_);
  }
  is_read_in_part_ = diagnostics_.error_count() > 0;
  AssignLayers();
  declarations_.emplace(asts_, policy_, diagnostics_);
  PublishTypes();
  files_.resize(asts_.size());
  for (size_t i = 0; i < asts_.size(); ++i) {
    files_[i].ast = &asts_[i];
    files_[i].layer = policy_.files[i].layer;
    CollectBindings(files_[i]);
  }
  CheckDefaults();
  for (File& file : files_) CheckRules(file);
  for (File& file : files_) CheckLimits(file);
  for (File& file : files_) CheckAsserts(file);
  for (File& file : files_) CheckTests(file);
  CheckUnusedDefs();
  ReportUnused();
  WarnOfRules(asts_, policy_, diagnostics_);
  WarnOfRegexes(asts_, diagnostics_);
  FillSlots();
  return std::move(policy_);
}

// Gives each file its layer: the platform's, or one for each tenant slug.
void Checker::AssignLayers() {
  std::map<std::string, LayerId> tenants;
  for (const Ast& ast : asts_) {
    if (ast.layer == LayerKind::kTenant) {
      tenants.emplace(ast.tenant_slug.text, LayerId::kPlatform);
    }
  }
  policy_.layers.resize(1 + tenants.size());
  int32_t next = 1;
  for (auto& [slug, id] : tenants) {
    id = static_cast<LayerId>(next++);
    policy_.layers[static_cast<size_t>(id)].slug = slug;
  }
  for (size_t i = 0; i < asts_.size(); ++i) {
    CheckedFile file;
    file.file = static_cast<FileId>(i);
    file.policy_name = asts_[i].policy_name;
    file.version = asts_[i].version;
    if (asts_[i].layer == LayerKind::kTenant) {
      file.layer = tenants[asts_[i].tenant_slug.text];
    }
    file.sha256 = Sha256(sources_.text(file.file));
    policy_.files.push_back(std::move(file));
  }
}

// Copies the declared types into the policy, by layer and name.
void Checker::PublishTypes() {
  policy_.has_star = declarations_->has_star();
  policy_.star_fields = policy_.types.Record(declarations_->star().fields);
  for (size_t i = 0; i < policy_.layers.size(); ++i) {
    const auto wanted = static_cast<LayerId>(i);
    for (const DeclaredType* type : declarations_->Visible(wanted)) {
      if (type->layer != wanted) continue;
      IntentType published;
      published.name = type->name;
      published.layer = type->layer;
      published.name_span = type->name_span;
      published.fields = policy_.types.Record(type->fields);
      policy_.intent_types.push_back(std::move(published));
    }
  }
  // By pointers: a type is dear to move.
  std::vector<IntentType*> order;
  for (IntentType& type : policy_.intent_types) order.push_back(&type);
  std::sort(order.begin(), order.end(),
            [](const IntentType* left, const IntentType* right) {
              return std::tie(left->layer, left->name) <
                     std::tie(right->layer, right->name);
            });
  std::vector<IntentType> sorted;
  sorted.reserve(order.size());
  for (IntentType* type : order) sorted.push_back(std::move(*type));
  policy_.intent_types = std::move(sorted);
}

// Finds which slots each type fills: those whose path leads, through its
// records, to a field of the slot's type.
void Checker::FillSlots() {
  std::map<absl::string_view, std::vector<int32_t>> by_first_name;
  for (size_t i = 0; i < policy_.slots.size(); ++i) {
    by_first_name[policy_.slots[i].names[0]].push_back(static_cast<int32_t>(i));
  }
  const auto leads = [this](TypeId record, const PayloadSlot& slot) {
    TypeId at = record;
    for (const std::string& name : slot.names) {
      const Type& type = policy_.types[policy_.types.Required(at)];
      const int field = type.FindField(name);
      if (field < 0) return false;
      at = type.fields[static_cast<size_t>(field)].type;
    }
    return policy_.types.Required(at) == slot.type;
  };
  const auto fill = [&](TypeId record, std::vector<int32_t>& slots) {
    for (const Field& field : policy_.types[record].fields) {
      const auto found = by_first_name.find(field.name);
      if (found == by_first_name.end()) continue;
      for (int32_t slot : found->second) {
        if (leads(record, policy_.slots[static_cast<size_t>(slot)])) {
          slots.push_back(slot);
        }
      }
    }
    std::sort(slots.begin(), slots.end());
  };
  fill(policy_.star_fields, policy_.star_slots);
  for (IntentType& type : policy_.intent_types) fill(type.fields, type.slots);
}

// A def that no rule uses is checked too, with every type's fields visible.
void Checker::CheckUnusedDefs() {
  for (File& file : files_) {
    for (Def& def : file.defs) {
      if (!def.uses.empty()) continue;
      OnContext context;
      context.kind = OnContext::Kind::kLenient;
      context.layer = file.layer;
      scope_ = Scope{};
      scope_.file = &file;
      scope_.context = InternContext(
          context, absl::StrCat("?", static_cast<int32_t>(file.layer)));
      // Nothing uses it, or only as another name for a path or a constant:
      // no use has to meet what it requires.
      if (TryConstant(def.syntax->value).has_value()) continue;
      std::vector<Requirement> unmet;
      scope_.requirements_or_null = &unmet;
      CheckDefUse(def, def.syntax->name.span);
    }
  }
}

namespace {

// Returns the words that a text has more than once, comments included.
absl::flat_hash_set<absl::string_view> RepeatedWords(absl::string_view text) {
  absl::flat_hash_set<absl::string_view> once;
  absl::flat_hash_set<absl::string_view> repeated;
  const auto is_part = [](char byte) {
    return absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '_';
  };
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && is_part(text[end])) ++end;
    const absl::string_view word = text.substr(at, end - at);
    if (!word.empty() && !once.insert(word).second) repeated.insert(word);
    at = end + 1;
  }
  return repeated;
}

}  // namespace

void Checker::ReportUnused() {
  if (is_cut_short_) return;  // what was not looked at may be used
  for (const File& file : files_) {
    // What could not be read may use a name that it has.
    absl::flat_hash_set<absl::string_view> maybe_used;
    if (is_read_in_part_)
      maybe_used = RepeatedWords(sources_.text(file.ast->file));
    for (const Const& item : file.consts) {
      if (item.is_used || maybe_used.contains(item.syntax->name.text)) continue;
      Report(DiagnosticKind::kUnusedConst, item.syntax->name.span,
             absl::StrCat("the const `", item.syntax->name.text,
                          "` is never used"));
    }
    for (const Def& def : file.defs) {
      if (!def.is_used && !maybe_used.contains(def.syntax->name.text)) {
        Report(DiagnosticKind::kUnusedDef, def.syntax->name.span,
               absl::StrCat("the def `", def.syntax->name.text,
                            "` is never used"));
      }
      for (const auto& [context, use] : def.uses) {
        if (use.result.node == NodeId::kNone) continue;
        policy_.defs.push_back(
            {def.syntax->name.text, def.syntax->name.span, use.result.node});
      }
    }
  }
}

}  // namespace sgl
