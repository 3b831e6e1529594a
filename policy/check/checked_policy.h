// A policy set after checking: every name resolved, every expression typed,
// every guard verified. It is what the compiler turns into a program and what
// the reference evaluator walks; neither looks a name up again.
//
// How to evaluate it, in short (sgl.md is the contract):
//   - A request's type is known when a platform IntentType has its name or
//     `has_star` holds. Its payload must fit `star_fields`, the platform type's
//     fields and, for a tenant with a layer, that layer's type of the name.
//   - The layers that apply are layers[0] (the platform) and the tenant layer
//     whose slug is the request's.
//   - A rule applies when its `on` holds the request's type (or is absent) and
//     its condition is true (or absent).
//
// Nodes. All expressions of the set stand in one vector, `nodes`, without
// duplicates: equal expressions are one node, whatever rule or def they stand
// in, so a def that several rules use is one node and can be evaluated once.
// A child's id is smaller than its parent's. Depth is at most kNodeDepthMax.
//
// Defs and context. A def has no type by itself where it reads the payload:
// which fields are visible depends on the `on` of the rule that uses it. It is
// therefore checked once for each distinct `on` set that uses it. Uses that
// resolve to the same slots give the same nodes; others give others. Defs are
// gone from this form; `defs` lists what they became, for tools.
//
// Missing values. Reading a path that is missing gives "missing". kHas and
// kCoalesce look at it; every other operator hands it on as it does a fault.
// Because guards are verified, a Kleene `and`/`or` always masks it: a
// condition is missing only if it is a fault anyway. A path is missing when
// any optional field along it is missing or null. So nodes need no mark of
// being guarded: the same node serves inside and outside a guard.
//
// Payload slots. A payload path through records (`payload.address.zip`) is one
// slot, named by its field names and its type, whatever intent types declare
// it. A decoder fills the slots in `IntentType::slots` (plus `star_slots`) and
// leaves the others missing. A slot may be a record (only `has` reads it) or a
// list (its elements are values of `Type::element`). Bound variables of
// any/all/count are numbered by nesting from 0: `variables_max` are enough. A
// loop inside a def may use the number of a loop around its use, so a loop puts
// back its variable's old value when it ends (or nodes that use no variable of
// a loop outside them are computed before it: `uses_variable` says which).
//
// List elements may be missing too (`list<int?>`): `contains` and `in` find no
// such element, `size` counts it.

#ifndef POLICY_CHECK_CHECKED_POLICY_H_
#define POLICY_CHECK_CHECKED_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/types.h"
#include "policy/decision_kind.h"
#include "policy/eval/given.h"
#include "policy/eval/limits.h"
#include "policy/source/source.h"

namespace sgl {

class CompiledRegex;

enum class NodeId : int32_t { kNone = -1 };
enum class LayerId : int32_t { kPlatform = 0 };

// What a node computes. `c0`, `c1` are its children; `index` is Node::index.
enum class Op : uint8_t {
  kLiteral,       // literals[index]
  kPath,          // the value of paths[index]
  kHas,           // bool: paths[index] is there
  kCoalesce,      // c0 (a kPath) if there, else c1; c1's fault counts only then
  kAnd,           // Kleene, 2 or more children
  kOr,            // Kleene, 2 or more children
  kNot,           // c0
  kEqual,         // c0, c1 of one scalar type (bool, strings, enums included)
  kNotEqual,      //
  kLess,          // c0, c1 of one ordered type
  kLessEqual,     //
  kGreater,       //
  kGreaterEqual,  //
  kInSet,         // c0 is a member of sets[index]
  kInRange,       // c0 lies in ranges[index]
  kInList,        // c0 equals an element of the list c1 (`contains`, `in`)
  kMatches,       // the string c0 has a match of regexes[index] anywhere
  kStartsWith,    // strings c0, c1
  kEndsWith,      //
  kContains,      // the string c0 holds the string c1
  kAdd,           // see the type rules of sgl.md; overflow is a fault
  kSubtract,      //
  kMultiply,      // results round half-even
  kNegate,        // c0 of int, decimal, usd or duration
  kAny,           // c0 a list (a kPath), c1 the body; variable number `index`
  kAll,           //
  kCount,         // int: how many elements make the body true
  kSize,          // code points of the string c0, or elements of the list c0
  kLower,         // c0 with A-Z mapped
  kSum,           // over the list c0 of records: field number `index`
  kHour,          // of the timestamp c0 in zones[index]
  kWeekday,       // Monday is 1
  kScan,          // any string value of the payload matches regexes[index]
  kDomain,        // host of the URL c0, or a fault
  kConnected,     // literals[index] is a provider that the tenant connected
};

// One expression. A `not in` is a kNot over a kIn….
struct Node {
  Op op = Op::kLiteral;
  TypeId type = kErrorType;  // never optional
  int32_t index = 0;         // into the table that the op names; else 0
  int32_t first_child = 0;   // into CheckedPolicy::children
  int32_t child_count = 0;
  int32_t depth = 1;           // 1 + the deepest child's
  bool uses_variable = false;  // false: one value per request
  Span span;  // where it was first written; equal nodes elsewhere share it
};

// A constant. `number` holds what TypeKind says (bool, int, decimal, usd,
// timestamp, duration, the enum's member number); `text` holds a string's,
// symbol's or enum member's text.
struct Literal {
  TypeId type = kErrorType;
  int64_t number = 0;
  std::string text;

  bool operator==(const Literal&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const Literal& literal) {
    return H::combine(std::move(state), literal.type, literal.number,
                      literal.text);
  }
};

// A set of constants of one type, sorted and without duplicates. `numbers` is
// used for number-like and enum types, `texts` for strings and symbols.
struct ConstantSet {
  TypeId element = kErrorType;
  std::vector<int64_t> numbers;
  std::vector<std::string> texts;

  auto operator<=>(const ConstantSet&) const = default;
};

// low <= high, both inclusive, in the representation of `element`.
struct ConstantRange {
  TypeId element = kErrorType;
  int64_t low = 0;
  int64_t high = 0;

  auto operator<=>(const ConstantRange&) const = default;
};

// A pattern that RE2 accepts with max_mem kRegexMemoryMax, matched unanchored
// over UTF-8, with `case_sensitive = !ignores_case` and all else default.
struct Regex {
  std::string pattern;  // `\/` already turned into `/`
  bool ignores_case = false;

  auto operator<=>(const Regex&) const = default;
};

// The fields of the fixed roots.
enum class RootField : uint8_t {
  kIntentId,
  kIntentType,
  kIntentRequestedBy,
  kIntentSpend,
  kIntentDataClass,
  kIntentCreatedAt,
  kAgentKnown,
  kAgentId,
  kAgentName,
  kAgentRole,
  kAgentStatus,
  kAgentTier,
  kAgentLabels,
  kTenantId,
  kTenantSlug,
  kTenantSeat,
  kBudgetExists,
  kBudgetRemaining,
  kBudgetUsed,
  kNow,
};

enum class PathRoot : uint8_t {
  kFixed,     // index is a RootField; no steps; never missing
  kPayload,   // index is a payload slot; no steps
  kVariable,  // index is a variable number; steps go into its record
};

// Where a value is read from. `steps` are field numbers, each in the record
// type reached so far; an optional record along the way may be missing.
struct Path {
  PathRoot root = PathRoot::kFixed;
  int32_t index = 0;
  std::vector<int32_t> steps;
  TypeId type = kErrorType;  // required form

  auto operator<=>(const Path&) const = default;
};

// One place of the payload that some rule reads.
struct PayloadSlot {
  std::vector<std::string> names;  // one or more
  TypeId type = kErrorType;        // required form

  auto operator<=>(const PayloadSlot&) const = default;
};

// A declared intent type. `fields` are its own, without the star fields; no
// name is in both.
struct IntentType {
  std::string name;
  LayerId layer = LayerId::kPlatform;  // the platform's, or the tenant's own
  Span name_span;
  TypeId fields = kErrorType;  // a record
  std::vector<int32_t> slots;  // payload slots that `fields` fills, ascending
};

// A piece of a message: text, or the value of a node (a kPath, or a kCoalesce
// of a kPath and a kLiteral) when `node` is set. The value is scalar.
struct MessagePart {
  std::string text;
  NodeId node = NodeId::kNone;
};

// `approvals COUNT from ROLES within …`; no roles means anybody who may
// approve.
struct CheckedDemand {
  int32_t count = 1;
  std::vector<std::string> roles;  // sorted, without duplicates
  std::optional<int64_t> within;   // microseconds, positive
};

// A block, review or allow rule.
struct CheckedRule {
  DecisionKind kind = DecisionKind::kBlock;
  std::string code;
  Span code_span;  // its position as decisions print it
  LayerId layer = LayerId::kPlatform;
  bool on_all = true;                // no `on`
  std::vector<std::string> on;       // type names, sorted, no duplicates
  NodeId condition = NodeId::kNone;  // bool; none: always true
  std::vector<MessagePart> message;  // the code alone where none was given
  int32_t risk = 0;
  std::vector<CheckedDemand> approvals;
  std::optional<int64_t> within;  // the shortest of the demands'
};

// A limit: where its condition is true it counts, and where its total, the
// request's part included, is greater than `amount_max`, it acts as `rule`.
struct CheckedLimit {
  CheckedRule rule;  // `kind` is what stands after `else`
  LimitScope scope = LimitScope::kAgent;
  bool is_spend = false;
  int64_t amount_max = 0;  // intents, or millionths of a dollar
  int64_t window = 0;      // microseconds, positive
};

// What must hold of every decision on the valid requests of its types for
// which its condition is true. A tenant's is about that tenant's requests.
struct CheckedAssert {
  std::string name;
  Span name_span;
  LayerId layer = LayerId::kPlatform;
  bool on_all = true;
  std::vector<std::string> on;          // type names, sorted, no duplicates
  NodeId condition = NodeId::kNone;     // bool; none: always true
  std::vector<DecisionKind> decisions;  // that it lets stand, sorted
  std::string demand;                   // as written: `decision != ALLOW`
};

// The platform (always layers[0], rules or not) or one tenant's layer.
struct Layer {
  std::string slug;                              // empty for the platform
  std::optional<DecisionKind> default_decision;  // platform; none: block
  Span default_span;                             // of the word after `default`
  std::vector<int32_t> rules;                    // into CheckedPolicy::rules
};

// One source file, for digests and listings.
struct CheckedFile {
  FileId file = FileId::kNone;
  std::string policy_name;  // dotted
  int64_t version = 0;
  LayerId layer = LayerId::kPlatform;
  std::string sha256;  // 32 raw bytes over the file's text
};

// What became of a def in one context.
struct CheckedDef {
  std::string name;
  Span name_span;
  NodeId node = NodeId::kNone;
};

// The whole set. Immutable once Check returned it. Meaningful to evaluate
// only if no error was reported; after errors the parts that failed are left
// out, so that tools can still show the rest.
struct CheckedPolicy {
  TypeTable types;
  std::vector<CheckedFile> files;      // in the order of the SourceSet
  std::vector<Layer> layers;           // [0] the platform, then by slug
  std::vector<CheckedRule> rules;      // by file, then position; no limits
  std::vector<CheckedLimit> limits;    // likewise
  std::vector<CheckedAssert> asserts;  // likewise
  std::vector<PolicyTest> tests;       // likewise

  bool has_star = false;                 // the platform declares `intent *`
  TypeId star_fields = kErrorType;       // a record, empty without `intent *`
  std::vector<int32_t> star_slots;       // payload slots that it fills
  std::vector<IntentType> intent_types;  // by layer, then name

  std::vector<Node> nodes;
  std::vector<NodeId> children;
  std::vector<Literal> literals;
  std::vector<ConstantSet> sets;
  std::vector<ConstantRange> ranges;
  std::vector<Regex> regexes;
  // Each of them by its number, as the checker compiled it to know that RE2
  // accepts it: compiling one takes longest of all that is done with a regex.
  std::vector<std::shared_ptr<const CompiledRegex>> compiled_regexes;
  std::vector<Path> paths;
  std::vector<PayloadSlot> slots;
  std::vector<std::string> zones;  // names of the time zones used
  std::vector<CheckedDef> defs;
  int32_t variables_max = 0;  // how many variables nest at most

  const Node& node(NodeId id) const { return nodes[static_cast<size_t>(id)]; }
  NodeId child(const Node& parent, int number) const {
    return children[static_cast<size_t>(parent.first_child + number)];
  }
};

}  // namespace sgl

#endif  // POLICY_CHECK_CHECKED_POLICY_H_
