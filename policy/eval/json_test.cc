// Proves that exactly JSON is taken, that what is kept beyond JSON (a bare
// NaN, a key given twice) is marked, and that an error says where it is. Texts
// are mutated at random, from a fixed seed, and compared with another parser.

#include "policy/eval/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace sgl {
namespace {

constexpr int kDepthMax = 100;

const JsonNode& At(const JsonDocument& document, size_t index) {
  return document.nodes()[index];
}

TEST(JsonTest, KeepsTextOfNumbersAndUnescapesStrings) {
  const auto document = ParseJson(
      R"( {"a": 1.50e2 , "b\u0041": ["x\n", {"c": null}], "d": true} )",
      kDepthMax);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().size, 3u);
  EXPECT_EQ(At(*document, 1).text, "1.50e2");
  EXPECT_EQ(At(*document, 2).key, "bA");
  EXPECT_EQ(At(*document, 2).text, R"(["x\n", {"c": null}])");
  EXPECT_EQ(At(*document, 3).text, "x\n");
  EXPECT_EQ(At(*document, 5).key, "c");
  EXPECT_TRUE(document->Find(document->root(), "d")->boolean);
  EXPECT_EQ(document->Find(document->root(), "e"), nullptr);
  EXPECT_EQ(document->PathOf(document->root(), "payload", At(*document, 5)),
            "payload.bA[1].c");
}

TEST(JsonTest, MarksDuplicateKeysInSmallAndLargeObjects) {
  const auto small = ParseJson(R"({"a": 1, "\u0061": 2})", kDepthMax);
  ASSERT_TRUE(small.ok());
  EXPECT_FALSE(At(*small, 1).is_duplicate);
  EXPECT_TRUE(At(*small, 2).is_duplicate);

  for (int size = 1; size < 64; ++size) {
    SCOPED_TRACE(size);
    std::string text = "{";
    for (int i = 0; i < size; ++i) {
      text += "\"k" + std::to_string(i) + "\": [1, 2], ";
    }
    text += "\"k0\": 1}";
    const auto large = ParseJson(text, kDepthMax);
    ASSERT_TRUE(large.ok());
    int duplicates = 0;
    for (const JsonNode& node : large->nodes()) duplicates += node.is_duplicate;
    EXPECT_EQ(duplicates, 1);
    EXPECT_TRUE(large->nodes().back().is_duplicate);
  }
}

TEST(JsonTest, MarksBareNaN) {
  const auto document = ParseJson(R"({"a": NaN})", kDepthMax);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(At(*document, 1).kind, JsonKind::kNotANumber);
}

TEST(JsonTest, ErrorsSayWhereTheyAre) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {R"({"a": nul})", "not JSON: no value at byte 6"},
      {R"({"a": 01})", "not JSON: no value at byte 6"},
      {"{\"a\": \"\xff\"}", "not UTF-8 at byte 7"},
      {R"({"a": "\ud800"})",
       "not JSON: a string with a broken escape at byte 6"},
      {R"({"a": 1} x)",
       "not JSON: the text does not end with its object's `}`"},
      {R"({"a": 1} {})", "not JSON: more text stands behind the end at byte 9"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    const auto document = ParseJson(test.text, kDepthMax);
    EXPECT_EQ(document.status().message(), test.error);
  }
}

TEST(JsonTest, NestingIsBounded) {
  const auto nested = [](int depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseJson(nested(100), kDepthMax).ok());
  EXPECT_FALSE(ParseJson(nested(101), kDepthMax).ok());
  EXPECT_FALSE(ParseJson(nested(100'000), kDepthMax).ok());
  EXPECT_FALSE(ParseJson(std::string(100'000, '['), kDepthMax).ok());
}

TEST(JsonTest, TakesWhatAnotherParserTakes) {
  const std::string seeds[] = {
      R"({"i":{"type":"A","payload":{"x":[1,-2.5e3,true,null,"\u00e9"]}}})",
      R"([{"a":{}},[],"",0,-0,1e5,{"b":[{}]},"\\\"\ud83d\ude00"])",
      "{\"\xc3\xa9\": \"\xe2\x82\xac\", \"n\": [ 1 , 2 ] }",
  };
  const std::string alphabet =
      "{}[]\",:0123eE+-.tfn \\u\xc3\xa9"
      "aN\n\x01";
  std::mt19937 random(20261122);
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = seeds[random() % std::size(seeds)];
    for (int edits = random() % 3; edits >= 0; --edits) {
      const size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, 1);
          break;
      }
      if (text.empty()) text = "[";
    }
    const bool theirs = nlohmann::json::accept(text);
    const bool ours = ParseJson(text, kDepthMax).ok();
    // We take no bare scalars: a request and a payload are objects.
    if (theirs && !ours) {
      const size_t first = text.find_first_not_of(" \n");
      if (text[first] != '{' && text[first] != '[') continue;
    }
    if (text.find("NaN") != std::string::npos) continue;
    ASSERT_EQ(ours, theirs) << text;
    taken += ours;
  }
  EXPECT_GT(taken, 10'000);
}

}  // namespace
}  // namespace sgl
