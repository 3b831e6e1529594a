// The decision program: what the compiler makes of a checked policy set and
// the evaluator runs. Flat, self-contained and immutable; shared read-only
// between threads.
//
// Instructions stand in one vector, children before parents. Equal expressions
// are one instruction, so what does not read a bound variable is computed at
// most once a request. An instruction's code says how its operands are
// represented (numbers or text), so that running it looks no type up.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_PROGRAM_H_
#define POLICY_COMPILE_PROGRAM_H_

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/check/types.h"
#include "policy/compile/compiled_regex.h"
#include "policy/compile/index.h"
#include "policy/compile/payload_plan.h"
#include "policy/decision_kind.h"
#include "policy/eval/limits.h"

namespace sgl {

// What an instruction computes. Values are numbers (bool, int, decimal, usd,
// timestamp, duration, enum), texts (string, symbol), lists or records.
enum class Code : uint8_t {
  kNumber,           // numbers[index]
  kText,             // texts[index]
  kFixed,            // the fact of RootField `index`, also in slot `extra`
  kSlot,             // payload slot `index`
  kVariable,         // steps[index] from bound variable number `extra`
  kHasSlot,          // payload slot `index` is there
  kHasVariable,      // likewise for kVariable
  kCoalesce,         // child 0 if there, else child 1
  kAnd,              //
  kOr,               //
  kNot,              //
  kEqualNumber,      //
  kEqualText,        //
  kNotEqualNumber,   //
  kNotEqualText,     //
  kLess,             // numbers; likewise the next three
  kLessEqual,        //
  kGreater,          //
  kGreaterEqual,     //
  kInNumbers,        // child 0 in number_sets[index]
  kInTexts,          // child 0 in text_sets[index]
  kInRange,          // numbers[index] <= child 0 <= numbers[extra]
  kInNumberList,     // child 0 in the list child 1
  kInTextList,       //
  kMatches,          // regexes[index]
  kStartsWith,       //
  kEndsWith,         //
  kContains,         //
  kAdd,              // int64, whatever the unit; likewise the next two
  kSubtract,         //
  kMultiply,         //
  kMultiplyDecimal,  // one factor is a decimal: the product over 10^9
  kNegate,           //
  kAny,              // child 0 a list, child 1 the body, variable `index`
  kAll,              //
  kCount,            //
  kSizeText,         // code points
  kSizeList,         //
  kLower,            //
  kSum,              // of field `index` of the records of list child 0
  kHour,             // in zones[index]
  kWeekday,          //
  kScan,             // regexes[index] over all strings of the payload
  kDomain,           //
  kConnected,        // texts[index] is a connected provider
};

struct Instruction {
  Code code = Code::kNumber;
  // Reads no bound variable: one value a request.
  bool is_constant = true;
  // Where its value is kept for the rest of the request; negative where it is
  // asked for once only, or is as cheap to read again.
  int32_t memo = -1;
  int32_t index = 0;
  int32_t extra = 0;
  int32_t first_child = 0;  // into DecisionProgram::children
  int32_t child_count = 0;
};

// A piece of a message: text, or the value of `instruction` if not negative.
struct ProgramMessagePart {
  std::string text;
  int32_t instruction = -1;
  TypeId type = kErrorType;
};

struct ProgramDemand {
  int32_t count = 1;
  std::vector<std::string> roles;  // sorted, each once
};

// What makes a rule a limit: it acts only where its total is exceeded.
struct ProgramLimit {
  LimitScope scope = LimitScope::kAgent;
  bool is_spend = false;
  int64_t amount_max = 0;  // intents, or millionths of a dollar
  absl::Duration window;
};

// A rule, or a limit.
struct ProgramRule {
  DecisionKind kind = DecisionKind::kBlock;
  int32_t layer = 0;
  int32_t condition = -1;  // an instruction; negative: always true
  int32_t risk = 0;
  std::vector<ProgramDemand> demands;
  std::optional<int64_t> within;  // microseconds
  int32_t limit = -1;  // into DecisionProgram::limits; negative: a rule
  // Its number in DecisionProgram::rules.
  int32_t place = 0;
  // For output only.
  std::string code;
  std::vector<ProgramMessagePart> message;
  std::string at;
};

// What must hold of every decision on the requests that it is about.
struct ProgramAssert {
  int32_t layer = 0;
  bool on_all = true;
  std::vector<int32_t> on;              // by type_ids, sorted
  int32_t condition = -1;               // an instruction; negative: always true
  std::vector<DecisionKind> decisions;  // that it lets stand
  // For output only.
  std::string name;
  std::string at;
  std::string demand;  // `decision != ALLOW`
};

// Where a payload slot finds its value: field numbers from the record down.
struct SlotSource {
  int32_t slot = 0;
  std::vector<int32_t> steps;
};

// A declared shape of payloads: its record type and the slots that it fills.
struct ProgramShape {
  TypeId fields = kErrorType;
  std::vector<SlotSource> slots;
};

struct ProgramLayer {
  std::string name;  // `platform` or `tenant:SLUG`
  std::string slug;  // empty for the platform
  // What it says where nothing applies.
  DecisionKind default_decision = DecisionKind::kBlock;
  std::string default_at;  // empty where no `default` is written
  // The rules without `on`, and those on each type, by type_ids.
  std::vector<int32_t> rules_on_all;
  absl::flat_hash_map<int32_t, std::vector<int32_t>> rules_on_type;
  // Likewise the limits, also numbers of rules.
  std::vector<int32_t> limits_on_all;
  absl::flat_hash_map<int32_t, std::vector<int32_t>> limits_on_type;
  // The tenant's own types; empty for the platform.
  absl::flat_hash_map<std::string, ProgramShape> types;
  std::string digest;
};

struct DecisionProgram {
  TypeTable types;
  std::vector<Instruction> instructions;
  std::vector<int32_t> children;
  std::vector<int64_t> numbers;
  std::vector<std::string> texts;
  std::vector<std::vector<int64_t>> number_sets;    // each sorted
  std::vector<std::vector<std::string>> text_sets;  // each sorted
  std::vector<std::vector<int32_t>> steps;
  std::vector<std::shared_ptr<const CompiledRegex>> regexes;
  std::vector<absl::TimeZone> zones;

  // Rules and limits by file and then position, as reasons are listed.
  std::vector<ProgramRule> rules;
  std::vector<ProgramLimit> limits;
  std::vector<ProgramAssert> asserts;
  std::vector<ProgramLayer> layers;  // [0] the platform, then by slug
  absl::flat_hash_map<std::string, int32_t> layer_of_tenant;

  // Every type that a rule's `on` or a platform declaration names.
  absl::flat_hash_map<std::string, int32_t> type_ids;
  bool has_star = false;
  ProgramShape star;
  absl::flat_hash_map<std::string, ProgramShape> platform_types;
  std::vector<std::string> intent_types;  // the platform's, sorted
  std::vector<std::string> tenant_slugs;  // sorted

  // How payloads are read: the declared types, and the shape of each platform
  // type by type_ids, null for a type that the platform does not declare. The
  // shapes stand in `platform_types`, which is not changed any more.
  PayloadPlan payload_plan;
  std::vector<const ProgramShape*> platform_shapes;
  bool has_scan = false;

  // Which rules a request can make apply.
  DecisionIndex index;

  int32_t memo_count = 0;
  int32_t slot_count = 0;  // of the payload
  // The facts outside the payload that something reads, as RootField: number
  // i's value stands in slot `slot_count + i`.
  std::vector<int32_t> fixed_fields;
  int32_t variable_count = 0;

  std::string set_digest;
  std::string tzdata_version;

  // What explanations show. Deciding reads none of it.
  std::vector<TypeId> instruction_types;             // by instruction
  std::vector<std::vector<std::string>> slot_names;  // by slot, outermost first
};

}  // namespace sgl

#endif  // POLICY_COMPILE_PROGRAM_H_
