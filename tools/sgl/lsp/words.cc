#include "tools/sgl/lsp/words.h"

#include <algorithm>

namespace sgl::tools {
namespace {

constexpr RootWord kRoots[] = {
    {"intent", "", "the intent that is to be decided"},
    {"intent.id", "string", "its id; empty where the caller gave none"},
    {"intent.type", "symbol", "what kind of act it is; compare it with a type"},
    {"intent.requested_by", "string", "who asked for it"},
    {"intent.spend", "usd", "what it would cost"},
    {"intent.data_class", "enum(NONE, PII, PHI)", "what data it touches"},
    {"intent.created_at", "timestamp", "when it was submitted"},
    {"payload", "",
     "what the intent carries: the fields declared for the types that the "
     "rule is `on`, and those of `intent *`"},
    {"agent", "", "the agent that submitted the intent"},
    {"agent.known", "bool", "whether the agent is registered"},
    {"agent.id", "string", "its id; empty for an unknown agent"},
    {"agent.name", "string", "its name"},
    {"agent.role", "string", "what it works as"},
    {"agent.status", "string", "whether it may work, in the registry's words"},
    {"agent.tier", "int", "how far it is trusted"},
    {"agent.labels", "list<string>", "what it was tagged with"},
    {"tenant", "", "whose intent it is"},
    {"tenant.id", "string", "its id"},
    {"tenant.slug", "string", "its short name, by which tenant layers go"},
    {"tenant.seat", "enum(free_beta, starter, pro, enterprise)",
     "what it subscribed to"},
    {"budget", "", "the budget that the intent's spend would draw on"},
    {"budget.exists", "bool", "whether there is such a budget"},
    {"budget.remaining", "usd", "what is left of it"},
    {"budget.used", "decimal", "how much of it is used, from 0 to 1"},
    {"now", "timestamp",
     "the time of evaluation, given by the caller, so that a decision can be "
     "replayed"},
};

constexpr FunctionWord kFunctions[] = {
    {"size", "size(x: string or list) -> int",
     "code points of a text, or elements of a list"},
    {"lower", "lower(text: string) -> string", "the text with A-Z as a-z"},
    {"sum", "sum(list, field)",
     "the sum of a required numeric field over the list's elements"},
    {"hour", "hour(t: timestamp, zone: string) -> int",
     "the hour of the day, 0 to 23, in that time zone"},
    {"weekday", "weekday(t: timestamp, zone: string) -> int",
     "the day of the week in that time zone; Monday is 1"},
    {"scan", "scan(payload, regex) -> bool",
     "whether any text anywhere in the payload matches"},
    {"domain", "domain(url: string) -> string",
     "the host of a URL in lower case; a fault where it is no URL"},
    {"connected", "connected(provider: string) -> bool",
     "whether the tenant's integration is connected"},
};

constexpr Keyword kKeywords[] = {
    {"policy", WordRole::kOther, "`policy NAME version N` begins every file"},
    {"version", WordRole::kOther, "the policy's version, a whole number"},
    {"layer", WordRole::kOther,
     "`layer platform`, or `layer tenant \"SLUG\"`: whose rules these are; a "
     "tenant's only tighten"},
    {"default", WordRole::kItem,
     "the platform's decision where no rule applies"},
    {"const", WordRole::kItem, "names a literal, a set, a range or a regex"},
    {"def", WordRole::kItem,
     "names a condition or a value; defs don't recurse"},
    {"intent", WordRole::kItem,
     "declares an intent type and its payload; `intent *` what any may carry"},
    {"block", WordRole::kItem, "a rule that blocks; the strictest wins"},
    {"review", WordRole::kItem, "a rule that asks people for approval"},
    {"allow", WordRole::kItem,
     "a rule that allows where nothing stricter applies"},
    {"limit", WordRole::kItem,
     "bounds how many intents, or what spend, a window of time may see"},
    {"test", WordRole::kItem,
     "requests and the decisions that `sgl test` expects"},
    {"assert", WordRole::kItem, "what must hold of every decision"},
    {"on", WordRole::kClause, "the intent types that the rule is about"},
    {"when", WordRole::kClause, "the condition under which the rule applies"},
    {"risk", WordRole::kClause, "how risky it is, shown to who approves"},
    {"approvals", WordRole::kClause,
     "`approvals N from ROLE within 24h`: how many people must approve"},
    {"from", WordRole::kClause, "the roles whose holders may approve"},
    {"within", WordRole::kClause, "how long an approval may take"},
    {"per", WordRole::kClause, "whom the limit counts by, then its window"},
    {"of", WordRole::kClause, "`$100 of spend`: the limit counts money"},
    {"else", WordRole::kClause, "what exceeding the limit gives"},
    {"given", WordRole::kClause, "the request of a test"},
    {"expect", WordRole::kClause,
     "the decision that the test expects, and its reasons"},
    {"and", WordRole::kOperator, "true if both sides are"},
    {"or", WordRole::kOperator, "true if a side is"},
    {"in", WordRole::kOperator, "is a member of a set, a range or a list"},
    {"matches", WordRole::kOperator, "a regex matches anywhere in the text"},
    {"starts_with", WordRole::kOperator, "the text begins with another"},
    {"ends_with", WordRole::kOperator, "the text ends with another"},
    {"contains", WordRole::kOperator,
     "the text holds another, or the list an element"},
    {"not", WordRole::kPrefix, "true if what follows is false"},
    {"has", WordRole::kPrefix, "whether an optional field is there"},
    {"any", WordRole::kPrefix,
     "`any x in list: condition`: true of some element"},
    {"all", WordRole::kPrefix,
     "`all x in list: condition`: true of every element"},
    {"count", WordRole::kPrefix,
     "`count x in list: condition`: of how many elements it is true"},
    {"true", WordRole::kPrefix, "the bool"},
    {"false", WordRole::kPrefix, "the bool"},
    {"bool", WordRole::kType, "`true` or `false`"},
    {"int", WordRole::kType, "a whole number of 64 bits"},
    {"decimal", WordRole::kType, "a number with 9 decimals, exact"},
    {"usd", WordRole::kType, "an amount with 6 decimals, exact: `$250`"},
    {"string", WordRole::kType, "a text"},
    {"symbol", WordRole::kType, "a name out of an open set"},
    {"timestamp", WordRole::kType, "a point in time"},
    {"duration", WordRole::kType, "a length of time: `24h`, `15m`"},
    {"enum", WordRole::kType, "`enum(A, B)`: one of these names"},
    {"list", WordRole::kType, "`list<T>`: any number of T"},
    {"platform", WordRole::kOther, "the layer that nobody overrides"},
};

template <typename Word>
const Word* Find(absl::Span<const Word> words, absl::string_view name) {
  for (const Word& word : words) {
    if (word.name == name) return &word;
  }
  return nullptr;
}

}  // namespace

absl::Span<const RootWord> RootWords() { return kRoots; }
absl::Span<const FunctionWord> FunctionWords() { return kFunctions; }
absl::Span<const Keyword> Keywords() { return kKeywords; }

bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const RootWord* FindRoot(absl::string_view name) {
  return Find(RootWords(), name);
}

const FunctionWord* FindFunction(absl::string_view name) {
  return Find(FunctionWords(), name);
}

const Keyword* FindKeyword(absl::string_view name) {
  return Find(Keywords(), name);
}

}  // namespace sgl::tools
