// How many intents the worker claims at once: as many as a batch's time allows
// while more than a batch is waiting, few after something went wrong.
//
//   BatchSize size({});
//   ... claim up to size.current() ...
//   size.NoteSettled({.claimed = 256, .took = absl::Milliseconds(60)});
//
// A larger batch shares the price of its statements and of its commit among
// more intents. It also holds its locks longer, answers its first intent only
// with its last, and has more to do again when one member breaks it.

#ifndef ENGINE_BATCH_SIZE_H_
#define ENGINE_BATCH_SIZE_H_

#include <absl/time/time.h>

namespace sgl::engine {

// Confined to the worker's thread.
class BatchSize {
 public:
  struct Options {
    // After failures no further down: at 16 a commit's share is small still.
    int min = 16;
    // Where it begins. A commit of some milliseconds is a tenth of it.
    int start = 256;
    // By then a commit's share is a hundredth; storage refuses more
    // (storage::kBatchIntentsMax).
    int max = 1000;
    // A batch that takes longer is followed by a smaller one. Whoever waits
    // for a decision waits for the batch in hand and then for their own, and
    // a kill switch waits for it too; a twentieth of the time that PostgreSQL
    // gives a statement (storage::DatabaseOptions).
    absl::Duration time_max = absl::Milliseconds(500);
  };

  // What became of a batch that was committed.
  struct Batch {
    int claimed = 0;
    absl::Duration took;
  };

  // REQUIRES: 1 <= min <= start <= max.
  explicit BatchSize(const Options& options);

  int current() const { return current_; }

  // Doubles it after a full batch that took less than half its time, halves it
  // after one that took too long. One that was not full says that the queue is
  // short: then it is as at the start, if it was more.
  void NoteSettled(const Batch& batch);
  // Halves it after a batch that lost its connection, or a race.
  void NoteFailed();
  // A batch that the database refused is settled member by member next: then it
  // is as at the start, if it was more. No less, or many that are refused would
  // hold up those behind them for turns on end.
  void NoteRefused();

 private:
  const Options options_;
  int current_;
};

}  // namespace sgl::engine

#endif  // ENGINE_BATCH_SIZE_H_
