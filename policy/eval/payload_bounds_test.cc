// Proves which payloads may be stored, at each bound, and that a refusal says
// what, where and what to do.

#include "policy/eval/payload_bounds.h"

#include <gtest/gtest.h>

#include <string>

namespace sgl {
namespace {

std::string Check(absl::string_view json) {
  return std::string(CheckPayloadBounds(json).message());
}

std::string Nested(int depth) {
  std::string text;
  for (int i = 1; i < depth; ++i) text += "{\"a\":";
  return text + "{}" + std::string(static_cast<size_t>(depth) - 1, '}');
}

TEST(PayloadBoundsTest, TakesObjectsWithinTheBounds) {
  EXPECT_EQ(Check("{}"), "");
  EXPECT_EQ(Check(R"( {"a": 1, "a": 2} )"), "");
  EXPECT_EQ(Check(Nested(64)), "");
  EXPECT_EQ(Check("{\"a\": " + std::string(40, '1') + "}"), "");
  EXPECT_EQ(Check(R"({"a": 1e64, "b": 1E-64, "c": "1e65"})"), "");
  EXPECT_EQ(Check("{\"a\": \"" + std::string(256 * 1024 - 9, 'x') + "\"}"), "");
}

TEST(PayloadBoundsTest, RefusalsSayWhatWhereAndWhatToDo) {
  EXPECT_EQ(Check(""), "payload: not JSON: no value, send one JSON object");
  EXPECT_EQ(Check("[]"), "payload: not a JSON object, send one JSON object");
  EXPECT_EQ(Check("12"), "payload: not a JSON object, send one JSON object");
  EXPECT_EQ(Check(R"({"a": })"),
            "payload: not JSON: no value at byte 6, send one JSON object");
  EXPECT_EQ(Check("{\"a\": \"\xc3\"}"),
            "payload: not UTF-8 at byte 7, send one JSON object");
  EXPECT_EQ(Check(Nested(65)),
            "payload: nested over 64 deep at byte 320, send one JSON object");
  EXPECT_EQ(Check(R"({"a": NaN})"),
            "`payload.a` is NaN, which is no JSON, send null or a string");
  EXPECT_EQ(Check("{\"a\": [0, " + std::string(41, '1') + "]}"),
            "`payload.a[1]` has 41 digits; at most 40 are taken, send it as a "
            "string");
  EXPECT_EQ(Check(R"({"a": {"b": 1e131071}})"),
            "`payload.a.b` has an exponent beyond 64, send it as a string");
  EXPECT_EQ(Check(R"({"a": 1e-65})"),
            "`payload.a` has an exponent beyond 64, send it as a string");
  EXPECT_EQ(Check(R"({"a": "x\u0000y"})"),
            "`payload.a` has `\\u0000` in its text, leave it out");
  EXPECT_EQ(Check(R"({"a\u0000": 1})"),
            "`payload[\"a\\u0000\"]` has `\\u0000` in its key, leave it out");
  EXPECT_EQ(Check("{\"a\": \"" + std::string(256 * 1024 - 8, 'x') + "\"}"),
            "payload of 262145 bytes: at most 262144 are taken, store it "
            "elsewhere and send a reference");
}

}  // namespace
}  // namespace sgl
