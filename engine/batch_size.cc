#include "engine/batch_size.h"

#include <algorithm>

#include "base/check.h"

namespace sgl::engine {

BatchSize::BatchSize(const Options& options)
    : options_(options), current_(options.start) {
  SGL_CHECK(1 <= options.min && options.min <= options.start &&
            options.start <= options.max);
}

void BatchSize::NoteSettled(const Batch& batch) {
  if (batch.took > options_.time_max) {
    current_ = std::max(current_ / 2, options_.min);
  } else if (batch.claimed < current_) {
    // Small after a failure, it grows by full batches only.
    current_ = std::min(current_, options_.start);
  } else if (batch.took < options_.time_max / 2) {
    current_ = std::min(current_ * 2, options_.max);
  }
}

void BatchSize::NoteFailed() {
  current_ = std::max(current_ / 2, options_.min);
}

void BatchSize::NoteRefused() { current_ = std::min(current_, options_.start); }

}  // namespace sgl::engine
