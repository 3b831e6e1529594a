// The bound that calls are measured against: plain SQL that writes what one
// submission writes from its arrival to its end, one by one, by PostgreSQL's
// own load generator.
//
//   RawCalls raw(&backlog, intent_id);  // learns the rows of that intent
//   const double rate = raw.Rate({.clients = 16});
//
// A transaction is one prepared statement in one round trip: request id, intent
// in its final state, all audit entries, through the same triggers, as the
// engine's own role. It neither decides nor notifies.

#ifndef BENCH_RAW_CALLS_H_
#define BENCH_RAW_CALLS_H_

#include <absl/time/time.h>

#include <string>

#include "bench/backlog.h"

namespace sgl::bench {

class RawCalls {
 public:
  struct Options {
    int clients = 1;
    absl::Duration duration = absl::Seconds(5);
  };

  // REQUIRES: the intent is final and has no memo.
  RawCalls(Backlog* backlog, const std::string& intent_id);

  // Returns transactions a second.
  double Rate(const Options& options);

 private:
  Backlog* const backlog_;
  std::string tenant_id_;
  // The script's path.
  std::string script_;
};

}  // namespace sgl::bench

#endif  // BENCH_RAW_CALLS_H_
