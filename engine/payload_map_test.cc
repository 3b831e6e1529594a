// Proves that amounts are read exactly or not at all, and that a field that
// is there but does not fit is never taken as absent.

#include "engine/payload_map.h"

#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

TEST(MicrosOfJsonNumberTest, ExactlyOrNotAtAll) {
  const struct {
    const char* number;
    std::optional<int64_t> want;
  } kCases[] = {
      {"0", 0},
      {"-0.0", 0},
      {"0e9", 0},
      {"900", 900'000'000},
      {"12.5", 12'500'000},
      {"5.0000000", 5'000'000},
      {"0.000001", 1},
      {"0.0000001", std::nullopt},
      {"1e2", 100'000'000},
      {"25E-1", 2'500'000},
      {"-3", -3'000'000},
      {"9223372036854.775807", 9'223'372'036'854'775'807},
      {"9223372036854.775808", std::nullopt},
      {"-9223372036854.775808", INT64_MIN},
      {"1e60", std::nullopt},
      {"1e400", std::nullopt},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.number);
    EXPECT_EQ(MicrosOfJsonNumber(test.number), test.want);
  }
}

TEST(MapPayloadTest, ReadsTheTopLevelOnly) {
  const MappedFacts facts =
      MapPayload(R"({"nested": {"spendUsd": 7, "dataClass": "x"},
                     "spendUsd": 12.5, "dataClass": "PHI",
                     "requestedBy": "ops", "list": [{"requestedBy": 4}]})");
  EXPECT_TRUE(facts.violations.empty());
  EXPECT_EQ(facts.spend_micros_usd, 12'500'000);
  EXPECT_EQ(facts.data_class, DataClass::kPhi);
  EXPECT_EQ(facts.requested_by, "ops");
}

TEST(MapPayloadTest, MissingAndNullAreUnset) {
  const MappedFacts facts = MapPayload(R"({"spendUsd": null})");
  EXPECT_TRUE(facts.violations.empty());
  EXPECT_FALSE(facts.spend_micros_usd.has_value());
  EXPECT_FALSE(facts.data_class.has_value());
  EXPECT_FALSE(facts.requested_by.has_value());
}

TEST(MapPayloadTest, WhatDoesNotFitIsAViolation) {
  const struct {
    const char* payload;
    FieldViolation want;
  } kCases[] = {
      {R"({"spendUsd": "5000"})",
       {"payload.spendUsd", "expected a number, found a string"}},
      {R"({"spendUsd": true})",
       {"payload.spendUsd", "expected a number, found a boolean"}},
      {R"({"spendUsd": {"usd": 5}})",
       {"payload.spendUsd", "expected a number, found an object"}},
      {R"({"spendUsd": [5]})",
       {"payload.spendUsd", "expected a number, found a list"}},
      {R"({"spendUsd": -1})",
       {"payload.spendUsd", "a spend can't be negative"}},
      {R"({"spendUsd": 0.0000001})",
       {"payload.spendUsd", "0.0000001 is no amount with at most 6 decimals"}},
      {R"({"dataClass": "phi"})",
       {"payload.dataClass", "expected NONE, PII or PHI"}},
      {R"({"dataClass": 2})",
       {"payload.dataClass", "expected a string, found a number"}},
      {R"({"requestedBy": 2})",
       {"payload.requestedBy", "expected a string, found a number"}},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.payload);
    const MappedFacts facts = MapPayload(test.payload);
    ASSERT_EQ(facts.violations.size(), 1u);
    EXPECT_EQ(facts.violations[0], test.want)
        << facts.violations[0].path << ": " << facts.violations[0].message;
    EXPECT_FALSE(facts.spend_micros_usd.has_value());
    EXPECT_FALSE(facts.data_class.has_value());
  }
}

}  // namespace
}  // namespace sgl::engine
