// The bound that the engine is measured against: plain SQL that claims DRAFTs
// and finishes them, without deciding anything, as the engine's own role.
//
//   RawDrain raw(&backlog);       // learns the rows from what the engine wrote
//   backlog.Fill(20'000);
//   raw.Drain({.batch = 1000, .connections = 1});
//
// What it writes is what the engine wrote for an intent of that type: the same
// columns of intents, memos and audit entries of the same number and size,
// through the same triggers. The texts lie in tables of the server, so that it
// sends and parses none of them; a batch is two round trips. Nothing that
// works in batches can be much cheaper.

#ifndef BENCH_RAW_DRAIN_H_
#define BENCH_RAW_DRAIN_H_

#include <memory>
#include <vector>

#include "bench/backlog.h"

namespace sgl::bench {

class RawDrain {
 public:
  struct Options {
    int batch = 1000;
    int connections = 1;
  };

  // REQUIRES: the engine has settled DRAFTs of every type of the backlog, and
  // they are still there.
  explicit RawDrain(Backlog* backlog);

  // Finishes every DRAFT.
  void Drain(const Options& options);

 private:
  void DrainOn(testing::SqlConnection& connection, int batch);

  Backlog* const backlog_;
  // Kept open from one drain to the next.
  std::vector<std::unique_ptr<testing::SqlConnection>> connections_;
};

}  // namespace sgl::bench

#endif  // BENCH_RAW_DRAIN_H_
