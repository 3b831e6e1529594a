// Proves when the worker's batches grow and when they shrink.

#include "engine/batch_size.h"

#include <absl/time/time.h>
#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

constexpr BatchSize::Options kOptions = {
    .min = 16, .start = 256, .max = 1000, .time_max = absl::Milliseconds(200)};

void Settle(BatchSize& size, int claimed, int milliseconds) {
  size.NoteSettled(
      {.claimed = claimed, .took = absl::Milliseconds(milliseconds)});
}

TEST(BatchSizeTest, GrowsToItsBoundWhileBatchesAreFullAndQuick) {
  BatchSize size(kOptions);
  EXPECT_EQ(size.current(), 256);
  Settle(size, 256, 50);
  EXPECT_EQ(size.current(), 512);
  Settle(size, 512, 99);
  EXPECT_EQ(size.current(), 1000);
  Settle(size, 1000, 99);
  EXPECT_EQ(size.current(), 1000);
}

TEST(BatchSizeTest, StaysWhereTwiceAsManyWouldTakeTooLong) {
  BatchSize size(kOptions);
  Settle(size, 256, 150);
  EXPECT_EQ(size.current(), 256);
}

TEST(BatchSizeTest, ShrinksAfterABatchThatTookTooLong) {
  BatchSize size(kOptions);
  Settle(size, 256, 201);
  EXPECT_EQ(size.current(), 128);
  // However few it had.
  Settle(size, 1, 500);
  EXPECT_EQ(size.current(), 64);
  for (int i = 0; i < 10; ++i) Settle(size, 64, 5000);
  EXPECT_EQ(size.current(), 16);
}

TEST(BatchSizeTest, AShortQueueBringsItBackToTheStart) {
  BatchSize size(kOptions);
  Settle(size, 256, 50);
  Settle(size, 512, 50);
  Settle(size, 999, 50);
  EXPECT_EQ(size.current(), 256);
}

TEST(BatchSizeTest, ARefusedBatchBringsItBackToTheStartAndNoFurther) {
  BatchSize size(kOptions);
  Settle(size, 256, 50);
  size.NoteRefused();
  EXPECT_EQ(size.current(), 256);
  size.NoteFailed();
  size.NoteRefused();
  EXPECT_EQ(size.current(), 128);
}

TEST(BatchSizeTest, FailuresShrinkItAndOnlyFullBatchesMendThat) {
  BatchSize size(kOptions);
  size.NoteFailed();
  EXPECT_EQ(size.current(), 128);
  for (int i = 0; i < 10; ++i) size.NoteFailed();
  EXPECT_EQ(size.current(), 16);
  Settle(size, 3, 5);
  EXPECT_EQ(size.current(), 16);
  Settle(size, 16, 5);
  EXPECT_EQ(size.current(), 32);
}

}  // namespace
}  // namespace sgl::engine
