// Why a request was decided as it was: what each rule saw, and what would have
// changed the decision.
//
// What `sgl explain` prints, as text or as a line of JSON, and what the engine
// answers a dry run with. The JSON form is stable: members may be added.
//
//   {"decision": {…the decision line…},
//    "rules": [{"code": "SPEND_THRESHOLD", "kind": "REVIEW", "limit": false,
//      "layer": "platform", "at": "atlas.sgl:40:8", "outcome": "applied",
//      "decisive": true, "parts": [{"text": "intent.spend >= $250",
//        "value": "true", "seen": [{"text": "intent.spend",
//        "value": "$900"}]}]}],
//    "milder": {"field": "intent.spend", "from": "$900", "to": "$249.99",
//      "decision": "ALLOW"},
//    "nearest_type": "BANK_TRANSFER"}
//
// `outcome` is `applied`, `not_applied` or `faulted`. `milder` is there where
// such a change was found, `nearest_type` where the type is unknown and a
// declared one is near.

#ifndef POLICY_EVAL_EXPLANATION_H_
#define POLICY_EVAL_EXPLANATION_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision_kind.h"
#include "policy/eval/decision.h"

namespace sgl {

// A value that an expression read, or that part of it came to. Both as SGL
// spells them; a long text is cut.
struct SeenValue {
  std::string text;
  std::string value;

  bool operator==(const SeenValue&) const = default;
};

// A part of a rule's condition that settled it: of an `and` that is false, the
// first operand that is false; of one that is true, all of them.
struct DecidingPart {
  std::string text;
  // `true`, `false`, `missing` or `fault: …`.
  std::string value;
  std::vector<SeenValue> seen;

  bool operator==(const DecidingPart&) const = default;
};

enum class RuleOutcome : uint8_t { kApplied, kNotApplied, kFaulted };

// Returns `applied`, `not_applied` or `faulted`.
absl::string_view RuleOutcomeName(RuleOutcome outcome);

// One rule or limit of the layers that concern the request.
struct RuleExplanation {
  std::string code;
  // Of a limit: what it says where it is exceeded.
  DecisionKind kind = DecisionKind::kBlock;
  bool is_limit = false;
  // `platform` or `tenant:SLUG`, and `path:line:column`.
  std::string layer;
  std::string at;
  RuleOutcome outcome = RuleOutcome::kNotApplied;
  // It is among the decision's reasons, or would be if ALLOW listed them all:
  // its severity is the decision's.
  bool is_decisive = false;
  // Empty where the rule has no condition that could decide.
  std::vector<DecidingPart> parts;

  bool operator==(const RuleExplanation&) const = default;
};

// The smallest change of one field that was found to give a milder decision.
struct MilderChange {
  // `intent.spend`, `payload.lines[2].amount`.
  std::string field;
  // As SGL spells them; `missing` where the field is not there.
  std::string from;
  std::string to;
  DecisionKind decision = DecisionKind::kAllow;

  bool operator==(const MilderChange&) const = default;
};

struct Explanation {
  Decision decision;
  // In the order of files and then positions. Empty for UNKNOWN_INTENT_TYPE
  // and INVALID_PAYLOAD: no rule was evaluated.
  std::vector<RuleExplanation> rules;
  std::optional<MilderChange> milder_change;
  // Where the type is unknown: the declared one that is nearest, if any is.
  std::string nearest_type;
};

// Returns a text of several lines for people.
std::string ExplanationToText(const Explanation& explanation);

// Returns one line of JSON, without a newline.
std::string ExplanationToJson(const Explanation& explanation);

}  // namespace sgl

#endif  // POLICY_EVAL_EXPLANATION_H_
