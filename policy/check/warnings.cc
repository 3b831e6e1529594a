#include "policy/check/warnings.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/condition_ranges.h"
#include "policy/check/value_set.h"
#include "policy/limits.h"

namespace sgl {
namespace {

// Blocks remembered under one key. More of them alike are generated, and one
// of the first covers what the others would.
constexpr size_t kBlocksPerKeyMax = 8;

// Operands of one `and` compared in pairs, to show which two clash.
constexpr int kPairsMax = 100;

bool IsInside(Span inner, Span outer) {
  return inner.file == outer.file && outer.begin <= inner.begin &&
         inner.end <= outer.end;
}

class RuleWarnings {
 public:
  RuleWarnings(absl::Span<const Ast> files, const CheckedPolicy& policy,
               Diagnostics& diagnostics)
      : files_(files),
        policy_(policy),
        diagnostics_(diagnostics),
        ranges_(policy) {}

  void Run();

 private:
  using RuleList = std::vector<int32_t>;
  template <typename Key>
  using RulesBy = absl::flat_hash_map<Key, RuleList>;

  const CheckedRule& rule(int32_t number) const {
    return policy_.rules[static_cast<size_t>(number)];
  }

  void FindIntentType();
  void FindConditions();
  bool WarnOfCondition(const CheckedRule& rule);
  KnownValues KnownFromOn(const CheckedRule& rule) const;
  Diagnostics::Report ReportAlways(NodeId id, const CheckedRule& rule,
                                   Span place);
  void ReportNever(NodeId id, const CheckedRule& rule, Span when);
  void WarnOfParts(NodeId id);
  Span PlaceOf(NodeId id, Span when) const;

  void IndexBlock(int32_t number);
  template <typename Key>
  void Remember(RulesBy<Key>& index, Key key, int32_t number);
  void WarnIfCovered(int32_t number);
  void WarnIfRepeated(int32_t number);
  std::optional<int32_t> FindCover(int32_t number);
  std::optional<int32_t> FindWide(const RuleList* candidates,
                                  const CheckedRule& covered) const;
  bool IsAsWide(const CheckedRule& block, const CheckedRule& covered) const;

  const absl::Span<const Ast> files_;
  const CheckedPolicy& policy_;
  Diagnostics& diagnostics_;
  ConditionRanges ranges_;
  NodeId intent_type_ = NodeId::kNone;
  // Of rules and limits, by where their code stands.
  absl::flat_hash_map<std::pair<FileId, int32_t>, Span> conditions_;
  absl::flat_hash_set<NodeId> seen_;          // whose parts were looked at
  absl::flat_hash_set<int32_t> idle_;         // rules that never apply
  RuleList plain_;                            // blocks of all types, always
  RulesBy<absl::string_view> plain_by_type_;  // blocks of some types, always
  RulesBy<NodeId> by_condition_;              // blocks by what makes them true
  RulesBy<NodeId> by_thing_;                  // blocks by what they compare
};

template <typename Map, typename Key>
const std::vector<int32_t>* FindOrNull(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

void RuleWarnings::Run() {
  FindIntentType();
  FindConditions();
  const auto count = static_cast<int32_t>(policy_.rules.size());
  for (int32_t i = 0; i < count; ++i) {
    if (WarnOfCondition(rule(i))) idle_.insert(i);
  }
  for (const CheckedLimit& limit : policy_.limits) WarnOfCondition(limit.rule);
  if (diagnostics_.error_count() > 0) return;
  for (int32_t i = 0; i < count; ++i) {
    if (rule(i).kind == DecisionKind::kBlock) IndexBlock(i);
  }
  for (int32_t i = 0; i < count; ++i) {
    if (idle_.contains(i)) continue;
    if (rule(i).kind == DecisionKind::kBlock) {
      WarnIfRepeated(i);
    } else {
      WarnIfCovered(i);
    }
  }
}

// Finds where each condition stands: a node is where it was first written.
void RuleWarnings::FindConditions() {
  const auto add = [this](const Ast& ast, const RuleSyntax& syntax) {
    if (syntax.when == ExprId::kNone) return;
    const Span code = syntax.code.span;
    conditions_.emplace(std::pair(code.file, code.begin),
                        ast.expr(syntax.when).span);
  };
  for (const Ast& ast : files_) {
    for (const RuleSyntax& syntax : ast.rules) add(ast, syntax);
    for (const LimitSyntax& limit : ast.limits) add(ast, limit.rule);
  }
}

void RuleWarnings::FindIntentType() {
  for (size_t i = 0; i < policy_.nodes.size(); ++i) {
    const Node& node = policy_.nodes[i];
    if (node.op != Op::kPath) continue;
    const Path& path = policy_.paths[static_cast<size_t>(node.index)];
    if (path.root == PathRoot::kFixed &&
        static_cast<RootField>(path.index) == RootField::kIntentType) {
      intent_type_ = static_cast<NodeId>(i);
    }
  }
}

// Returns what a rule's `on` says of `intent.type`.
KnownValues RuleWarnings::KnownFromOn(const CheckedRule& rule) const {
  if (rule.on_all || rule.on.empty() || intent_type_ == NodeId::kNone ||
      diagnostics_.error_count() > 0) {
    return {};
  }
  return KnownValues::Of(intent_type_,
                         ValueSet::Texts({rule.on.begin(), rule.on.end()}));
}

// Returns whether the condition is never true.
bool RuleWarnings::WarnOfCondition(const CheckedRule& rule) {
  const Span code = rule.code_span;
  const auto found = conditions_.find(std::pair(code.file, code.begin));
  const NodeId id = rule.condition;
  if (found == conditions_.end() || id == NodeId::kNone) return false;
  const Span when = found->second;
  const std::shared_ptr<const Outcomes> outcomes = ranges_.Of(id);
  const KnownValues on = KnownFromOn(rule);
  if (outcomes->is_never_true()) {
    ReportNever(id, rule, when);
  } else if (outcomes->is_never_false()) {
    ReportAlways(id, rule, when);
  } else if (ranges_.Exclude(outcomes->if_true, on)) {
    diagnostics_.Add(
        DiagnosticKind::kNeverTrue, when,
        absl::StrCat("`", rule.code,
                     "` never applies: its condition is never true for "
                     "the types of its `on`"));
  } else if (ranges_.Exclude(outcomes->if_false, on)) {
    ReportAlways(id, rule, when);
  } else {
    WarnOfParts(id);
  }
  return outcomes->is_never_true();
}

Diagnostics::Report RuleWarnings::ReportAlways(NodeId id,
                                               const CheckedRule& rule,
                                               Span place) {
  return diagnostics_.Add(
      DiagnosticKind::kAlwaysTrue, place,
      absl::StrCat(
          "the condition of `", rule.code,
          ranges_.MayFault(id) ? "` is never false" : "` is always true"));
}

// Reports a condition that is never true at the narrowest operand that makes
// it so.
void RuleWarnings::ReportNever(NodeId id, const CheckedRule& rule, Span when) {
  const std::string message = absl::StrCat(
      "`", rule.code, "` never applies: its condition is never true");
  Span place = when;
  while (policy_.node(id).op == Op::kAnd) {
    const Node& node = policy_.node(id);
    NodeId culprit = NodeId::kNone;
    for (int i = 0; i < node.child_count && culprit == NodeId::kNone; ++i) {
      const NodeId child = policy_.child(node, i);
      if (ranges_.Of(child)->is_never_true()) culprit = child;
    }
    if (culprit == NodeId::kNone) break;
    id = culprit;
    place = PlaceOf(id, place);
  }
  const Node& node = policy_.node(id);
  const int count =
      node.op == Op::kAnd ? std::min(node.child_count, kPairsMax) : 0;
  for (int j = 1; j < count; ++j) {
    const NodeId right = policy_.child(node, j);
    for (int i = 0; i < j; ++i) {
      const NodeId left = policy_.child(node, i);
      if (!ranges_.Exclude(ranges_.Of(left)->if_true,
                           ranges_.Of(right)->if_true)) {
        continue;
      }
      const Span one = policy_.node(left).span;
      const Span two = policy_.node(right).span;
      if (!IsInside(one, place) || !IsInside(two, place)) continue;
      diagnostics_.Add(DiagnosticKind::kNeverTrue, two, message)
          .Note(one, "both are never true at once");
      return;
    }
  }
  diagnostics_.Add(DiagnosticKind::kNeverTrue, place, message);
}

Span RuleWarnings::PlaceOf(NodeId id, Span when) const {
  const Span span = policy_.node(id).span;
  return IsInside(span, when) ? span : when;
}

// Reports the operands, of any depth, that are never true or never false. Each
// node once: what is said of it is said where it was first written.
void RuleWarnings::WarnOfParts(NodeId id) {
  const Node& node = policy_.node(id);
  const bool is_loop =
      node.op == Op::kAny || node.op == Op::kAll || node.op == Op::kCount;
  if (!is_loop && node.op != Op::kAnd && node.op != Op::kOr &&
      node.op != Op::kNot) {
    return;
  }
  if (!seen_.insert(id).second) return;
  for (int i = is_loop ? 1 : 0; i < node.child_count; ++i) {
    const NodeId child = policy_.child(node, i);
    const std::shared_ptr<const Outcomes> outcomes = ranges_.Of(child);
    const bool is_settled =
        outcomes->is_never_true() || outcomes->is_never_false();
    if (is_settled && ranges_.IsConstant(child)) continue;
    if (outcomes->is_never_true()) {
      diagnostics_.Add(DiagnosticKind::kNeverTrue, policy_.node(child).span,
                       "this condition is never true");
    } else if (outcomes->is_never_false()) {
      diagnostics_.Add(DiagnosticKind::kAlwaysTrue, policy_.node(child).span,
                       ranges_.MayFault(child)
                           ? "this condition is never false"
                           : "this condition is always true");
    } else {
      WarnOfParts(child);
    }
  }
}

template <typename Key>
void RuleWarnings::Remember(RulesBy<Key>& index, Key key, int32_t number) {
  RuleList& list = index[key];
  if (list.size() < kBlocksPerKeyMax) list.push_back(number);
}

void RuleWarnings::IndexBlock(int32_t number) {
  const CheckedRule& block = rule(number);
  const NodeId id = block.condition;
  if (id == NodeId::kNone ||
      (ranges_.Of(id)->is_never_false() && !ranges_.MayFault(id))) {
    if (block.on_all && plain_.size() < kBlocksPerKeyMax) {
      plain_.push_back(number);
    }
    for (const std::string& type : block.on) {
      Remember(plain_by_type_, absl::string_view(type), number);
    }
  }
  if (id == NodeId::kNone) return;
  Remember(by_condition_, id, number);
  const Node& node = policy_.node(id);
  for (int i = 0; node.op == Op::kOr && i < node.child_count; ++i) {
    Remember(by_condition_, policy_.child(node, i), number);
  }
  const auto comparison = ranges_.Comparison(id);
  if (comparison.has_value()) Remember(by_thing_, comparison->first, number);
}

// Returns whether a block applies to all that the other rule applies to.
bool RuleWarnings::IsAsWide(const CheckedRule& block,
                            const CheckedRule& covered) const {
  if (block.layer != LayerId::kPlatform && block.layer != covered.layer) {
    return false;
  }
  if (block.on_all) return true;
  return !covered.on_all && std::includes(block.on.begin(), block.on.end(),
                                          covered.on.begin(), covered.on.end());
}

std::optional<int32_t> RuleWarnings::FindWide(
    const RuleList* candidates, const CheckedRule& covered) const {
  if (candidates == nullptr) return std::nullopt;
  for (int32_t number : *candidates) {
    if (!idle_.contains(number) && IsAsWide(rule(number), covered)) {
      return number;
    }
  }
  return std::nullopt;
}

// Returns a block that is true whenever the rule is.
std::optional<int32_t> RuleWarnings::FindCover(int32_t number) {
  const CheckedRule& covered = rule(number);
  auto found = FindWide(&plain_, covered);
  if (!found.has_value() && !covered.on.empty()) {
    found = FindWide(
        FindOrNull(plain_by_type_, absl::string_view(covered.on[0])), covered);
  }
  const NodeId id = covered.condition;
  if (found.has_value() || id == NodeId::kNone) return found;
  found = FindWide(FindOrNull(by_condition_, id), covered);
  const Node& node = policy_.node(id);
  for (int i = 0; node.op == Op::kAnd && i < node.child_count; ++i) {
    if (found.has_value()) return found;
    found =
        FindWide(FindOrNull(by_condition_, policy_.child(node, i)), covered);
  }
  const std::shared_ptr<const Outcomes> outcomes = ranges_.Of(id);
  for (const auto& [thing, values] : outcomes->if_true.all()) {
    if (found.has_value()) return found;
    const RuleList* const blocks = FindOrNull(by_thing_, thing);
    if (blocks == nullptr) continue;
    for (int32_t block : *blocks) {
      const auto comparison = ranges_.Comparison(rule(block).condition);
      if (!idle_.contains(block) && IsAsWide(rule(block), covered) &&
          comparison->second.Holds(values)) {
        return block;
      }
    }
  }
  return found;
}

void RuleWarnings::WarnIfCovered(int32_t number) {
  const CheckedRule& covered = rule(number);
  if (covered.condition != NodeId::kNone &&
      ranges_.MayFault(covered.condition)) {
    return;
  }
  const std::optional<int32_t> cover = FindCover(number);
  if (!cover.has_value()) return;
  diagnostics_
      .Add(DiagnosticKind::kCoveredRule, covered.code_span,
           absl::StrCat("`", covered.code,
                        "` never matters: wherever it "
                        "applies, `",
                        rule(*cover).code, "` blocks"))
      .Note(rule(*cover).code_span, "the block");
}

void RuleWarnings::WarnIfRepeated(int32_t number) {
  const CheckedRule& later = rule(number);
  const RuleList* candidates = &plain_;
  if (later.condition != NodeId::kNone) {
    candidates = FindOrNull(by_condition_, later.condition);
  } else if (!later.on.empty()) {
    candidates = FindOrNull(plain_by_type_, absl::string_view(later.on[0]));
  }
  if (candidates == nullptr) return;
  for (int32_t earlier : *candidates) {
    if (earlier >= number || rule(earlier).layer != later.layer ||
        rule(earlier).condition != later.condition ||
        !IsAsWide(rule(earlier), later)) {
      continue;
    }
    diagnostics_
        .Add(DiagnosticKind::kCoveredRule, later.code_span,
             absl::StrCat("`", later.code, "` blocks nothing that `",
                          rule(earlier).code, "` does not block already"))
        .Note(rule(earlier).code_span, "the earlier block");
    return;
  }
}

// Returns whether a pattern is seen to match no empty text without compiling
// it, as most are: it begins with a letter or digit that is not optional.
bool NeedsALetter(absl::string_view pattern) {
  absl::ConsumePrefix(&pattern, "^");
  if (pattern.empty() || absl::StrContains(pattern, "|")) return false;
  // A quantifier behind one of these reaches back over it.
  if (absl::StrContains(pattern, "(?") || absl::StrContains(pattern, "\\Q")) {
    return false;
  }
  const bool is_optional =
      pattern.size() > 1 && absl::StrContains("?*{", pattern.substr(1, 1));
  return absl::ascii_isalnum(static_cast<unsigned char>(pattern[0])) &&
         !is_optional;
}

// Returns whether a pattern surely has a match in every text. The looks are at
// the pattern's bytes, escaped or not: one too many says less, not more.
bool MatchesEverything(absl::string_view pattern, bool ignores_case) {
  const auto has = [pattern](absl::string_view part) {
    return absl::StrContains(pattern, part);
  };
  if (has("\\b") || has("\\B")) return false;
  if ((has("^") || has("\\A")) && (has("$") || has("\\z"))) return false;
  if (pattern.size() > static_cast<size_t>(kRegexBytesMax)) return false;
  if (NeedsALetter(pattern)) return false;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  options.set_case_sensitive(!ignores_case);
  const re2::RE2 compiled(re2::StringPiece(pattern.data(), pattern.size()),
                          options);
  return compiled.ok() && re2::RE2::FullMatch("", compiled);
}

}  // namespace

void WarnOfRegexes(absl::Span<const Ast> files, Diagnostics& diagnostics) {
  absl::flat_hash_map<std::pair<absl::string_view, bool>, bool> known;
  for (const Ast& ast : files) {
    for (const Expr& value : ast.exprs) {
      if (value.kind != ExprKind::kRegex) continue;
      const std::pair key(ast.text(value), value.number != 0);
      const auto [found, is_new] = known.emplace(key, false);
      if (is_new) found->second = MatchesEverything(key.first, key.second);
      if (!found->second) continue;
      diagnostics
          .Add(DiagnosticKind::kEmptyMatch, value.span,
               "the regex matches the empty text, and so has a match in every "
               "text")
          .Help(
              "let it need at least one character, or anchor it with `^` "
              "and `$`");
    }
  }
}

void WarnOfRules(absl::Span<const Ast> files, const CheckedPolicy& policy,
                 Diagnostics& diagnostics) {
  RuleWarnings(files, policy, diagnostics).Run();
}

}  // namespace sgl
