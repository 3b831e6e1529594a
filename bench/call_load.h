// Calls of one engine over gRPC, many at once, timed one by one.
//
//   CallLoad load(address, token);
//   const Latencies closed = load.Closed({.in_flight = 64});
//   const Latencies open = load.Open({.per_second = 2000});

#ifndef BENCH_CALL_LOAD_H_
#define BENCH_CALL_LOAD_H_

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <vector>

namespace sgl::bench {

// What came of a run.
struct Latencies {
  // Answers a second.
  double rate = 0;
  // From the call, or from when it was due, to its answer. Sorted.
  std::vector<absl::Duration> sorted = {};

  // Returns the one below which this part, 0 to 1, of them are.
  absl::Duration At(double part) const;
};

// Sorts them and counts those of a run that long.
Latencies LatenciesOf(std::vector<absl::Duration> unsorted,
                      absl::Duration took);

// Every call must succeed, and be decided by its answer. Confined to one
// thread.
class CallLoad {
 public:
  CallLoad(const std::string& address, const std::string& token);
  ~CallLoad();

  struct ClosedOptions {
    int in_flight = 1;
    absl::Duration duration = absl::Seconds(5);
    // Asks for the server's health instead: a call that does nothing.
    bool is_empty = false;
  };
  // As many callers, each of whom calls again once it is answered.
  Latencies Closed(const ClosedOptions& options);

  struct OpenOptions {
    double per_second = 100;
    absl::Duration duration = absl::Seconds(5);
  };
  // Calls at an even pace, whatever became of those before.
  Latencies Open(const OpenOptions& options);

  // Submits one; returns the intent's id.
  std::string SubmitOne();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sgl::bench

#endif  // BENCH_CALL_LOAD_H_
