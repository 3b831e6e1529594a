// A workload with both evaluators ready to decide it: the policy layer's and
// the hand-written one. Making it checks that the two give the same decision
// and the same rules on every request, from parsed requests and from bytes, so
// that no benchmark times a wrong answer.
//
// Benchmarks pick single requests by their places in the workload.

#ifndef BENCH_FIXTURE_H_
#define BENCH_FIXTURE_H_

#include <absl/strings/string_view.h>
#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/hand_written.h"
#include "bench/workloads.h"
#include "policy/policy.h"

namespace sgl::bench {

// Returns the program. Ends the process, with the compiler's words, where the
// text has an error.
std::shared_ptr<const Program> MustCompile(absl::string_view policy);

// Request lines in one buffer with the room behind it that simdjson reads
// ahead into. Immutable after construction.
class Lines {
 public:
  explicit Lines(const Workload& workload);

  size_t size() const { return starts_.size() - 1; }
  absl::string_view Line(size_t place) const {
    return {text_.data() + starts_[place], starts_[place + 1] - starts_[place]};
  }
  simdjson::padded_string_view PaddedLine(size_t place) const {
    const absl::string_view line = Line(place);
    return simdjson::padded_string_view(line.data(), line.size(),
                                        text_.size() - starts_[place]);
  }

 private:
  std::string text_;
  std::vector<size_t> starts_;  // and the end of the last
};

// Immutable after construction; threads may share it.
class Fixture {
 public:
  Fixture(WorkloadKind kind, int32_t rule_count);
  explicit Fixture(Workload workload);

  size_t size() const { return workload_.requests.size(); }
  const Workload& workload() const { return workload_; }
  const Program& program() const { return *program_; }
  const Lines& lines() const { return lines_; }

  // The places of requests in the order to walk them, over and over: long and
  // without a pattern, since a processor learns by heart which way the branches
  // of some thousand decisions go, and life does not repeat itself.
  const std::vector<uint32_t>& order() const { return order_; }

  const ParsedRequest& request(size_t place) const { return parsed_[place]; }
  // The same, to be handed to EvaluateBatch.
  const std::vector<ParsedRequest>& requests() const { return parsed_; }
  const HandRequest& hand_request(size_t place) const {
    return hand_requests_[place];
  }

  // Decides by the rules written by hand.
  HandVerdict DecideByHand(const HandRequest& request) const;

  // Reads a line for DecideByHand.
  bool ReadByHand(HandReader& reader, size_t place, HandRequest& request) const;

 private:
  void CheckAnswersAgree() const;

  Workload workload_;
  std::shared_ptr<const Program> program_;
  Lines lines_;
  std::vector<Request> requests_;
  std::vector<ParsedRequest> parsed_;
  std::vector<HandRequest> hand_requests_;
  std::vector<uint32_t> order_;
  // What the kind of workload needs; the other is null.
  std::unique_ptr<const HandScaled> scaled_;
  std::unique_ptr<const HandShared> shared_;
};

// Returns the fixture, made at the first call and kept until the process ends:
// benchmarks are called many times. Thread-safe.
const Fixture& FixtureOf(WorkloadKind kind, int32_t rule_count);

}  // namespace sgl::bench

#endif  // BENCH_FIXTURE_H_
