// Proves that what is appended is the JSON of the text, whatever is in it.

#include "engine/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace sgl::engine {
namespace {

std::string Json(const std::string& text) {
  std::string out;
  AppendJsonText(text, &out);
  return out;
}

TEST(JsonTextTest, PlainTextStandsAsItIs) {
  EXPECT_EQ(Json(""), "\"\"");
  EXPECT_EQ(Json("Ann's post, 5 %"), "\"Ann's post, 5 %\"");
}

TEST(JsonTextTest, EveryByteComesBack) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text = {'a', static_cast<char>(c), 'b'};
    EXPECT_EQ(nlohmann::json::parse(Json(text)).get<std::string>(), text) << c;
  }
  const std::string text = "Zo\u00eb \u4f60 \"a\\b\"\n";
  EXPECT_EQ(nlohmann::json::parse(Json(text)).get<std::string>(), text);
}

TEST(JsonTextTest, BrokenUtf8IsReplaced) {
  EXPECT_EQ(Json("a\xff"), "\"a\xef\xbf\xbd\"");
}

TEST(JsonTextTest, Lists) {
  std::string out;
  AppendJsonTexts({}, &out);
  AppendJsonTexts({"a"}, &out);
  AppendJsonTexts({"a", "b\""}, &out);
  EXPECT_EQ(out, R"([]["a"]["a","b\""])");
}

}  // namespace
}  // namespace sgl::engine
