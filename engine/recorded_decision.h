// A decision as the audit log holds it, read so that it can be taken again:
// what was decided, under which versions of the rules, and the facts that the
// rules read. settlement.cc writes what is read here.
//
//   RecordedDecisionReader reader;
//   const auto recorded = reader.Read({.meta = meta, .payload = payload});
//   if (recorded.ok()) Evaluate(program, (*recorded)->request);

#ifndef ENGINE_RECORDED_DECISION_H_
#define ENGINE_RECORDED_DECISION_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// The texts that a recorded decision consists of.
struct DecisionText {
  absl::string_view intent_id = {};
  // The entry's meta.
  absl::string_view meta = {};
  // Of the revision that was decided.
  absl::string_view payload = {};
};

struct RecordedDecision {
  // A reason, as far as replays of many compare it.
  struct Rule {
    absl::string_view layer;
    absl::string_view code;
  };

  // What a limit had counted of its subject when the decision was made.
  struct LimitFact {
    absl::string_view layer;
    absl::string_view code;
    // As LimitScopeName has it.
    absl::string_view scope;
    int64_t window_micros = 0;
    bool is_spend = false;
    absl::string_view subject;
    // Nothing where that was no int64.
    std::optional<int64_t> counted;
  };

  DecisionKind kind = DecisionKind::kBlock;
  std::vector<Rule> rules;
  int64_t risk = 0;
  std::vector<ApprovalDemand> demands;
  std::optional<absl::Duration> within;
  // The versions that decided, as they are stored: the platform's, and the
  // tenant's own, empty where it had none. Both empty: no policy decided.
  absl::string_view platform_digest;
  absl::string_view layer_digest;
  // What the decision carries: of the files that could speak for the tenant.
  absl::string_view policy_digest;
  int32_t revision = 0;
  absl::string_view payload_sha256;
  // The facts. The request asks the limits for their totals; one that the
  // decision did not read starts empty, as a new one does.
  std::vector<LimitFact> limits;
  Request request;
};

// Reads one decision after the other. Confined to one thread.
class RecordedDecisionReader {
 public:
  RecordedDecisionReader();
  RecordedDecisionReader(const RecordedDecisionReader&) = delete;
  RecordedDecisionReader& operator=(const RecordedDecisionReader&) = delete;
  ~RecordedDecisionReader();

  // Returns what was recorded; it views the texts given and this reader, and is
  // valid until the next call. FAILED_PRECONDITION, for the caller to read: not
  // all that the rules read was recorded, or the payload is not there.
  absl::StatusOr<const RecordedDecision*> Read(const DecisionText& text);

 private:
  class Walker;
  class Totals;
  struct Parser;

  const std::unique_ptr<Parser> parser_;
  RecordedDecision recorded_;
  // Answers from `recorded_`.
  const std::unique_ptr<Totals> totals_;
};

// Returns the whole decision that the meta tells of, with every message.
// FAILED_PRECONDITION where it can't be read.
absl::StatusOr<Decision> DecisionOfMeta(absl::string_view meta);

// Returns the request as the line that `sgl eval` reads; empty where such a
// line can't say it: what a row from SQL held did not fit, or limits had
// counted something, while those of a line start empty.
std::string RequestLineOf(const RecordedDecision& recorded);

}  // namespace sgl::engine

#endif  // ENGINE_RECORDED_DECISION_H_
