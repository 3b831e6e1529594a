// Proves the sealing of tokens: what comes out is what went in, for the place
// that it was sealed for and for no other, by the key that sealed it.

#include "engine/secret_keys.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

using ::testing::HasSubstr;

const char kToken[] = "xoxb-very-secret";

SecretPlace Place() {
  return {.tenant_id = "t",
          .integration_id = "i",
          .provider = "slack",
          .field = "access_token"};
}

TEST(SecretKeysTest, OpensWhatItSealed) {
  const auto keys = SecretKeys::FromText(SecretKeys::GenerateLine());
  ASSERT_TRUE(keys.ok()) << keys.status();
  const Sealed sealed = keys->Seal(kToken, Place());
  EXPECT_EQ(sealed.key_id, keys->current_id());
  EXPECT_EQ(sealed.bytes.find(kToken), std::string::npos);
  EXPECT_EQ(keys->Open(sealed, Place()).value_or(""), kToken);
  // Each time another nonce.
  EXPECT_NE(keys->Seal(kToken, Place()).bytes, sealed.bytes);
}

TEST(SecretKeysTest, OpensInNoOtherPlace) {
  const auto keys = SecretKeys::FromText(SecretKeys::GenerateLine());
  ASSERT_TRUE(keys.ok()) << keys.status();
  const Sealed sealed = keys->Seal(kToken, Place());
  for (auto part : {&SecretPlace::tenant_id, &SecretPlace::integration_id,
                    &SecretPlace::provider, &SecretPlace::field}) {
    SecretPlace other = Place();
    other.*part = "other";
    const auto opened = keys->Open(sealed, other);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(opened.status().message()),
                HasSubstr("for another tenant or integration"));
  }
}

TEST(SecretKeysTest, OpensNothingThatWasChanged) {
  const auto keys = SecretKeys::FromText(SecretKeys::GenerateLine());
  ASSERT_TRUE(keys.ok()) << keys.status();
  const Sealed sealed = keys->Seal(kToken, Place());
  for (size_t i = 0; i < sealed.bytes.size(); ++i) {
    Sealed changed = sealed;
    changed.bytes[i] = static_cast<char>(changed.bytes[i] ^ 1);
    EXPECT_FALSE(keys->Open(changed, Place()).ok()) << i;
    changed.bytes = sealed.bytes.substr(0, i);
    EXPECT_FALSE(keys->Open(changed, Place()).ok()) << i;
  }
}

TEST(SecretKeysTest, TheFirstKeySealsAndAllOpen) {
  const std::string old_line = SecretKeys::GenerateLine();
  const std::string new_line = SecretKeys::GenerateLine();
  const auto old_keys = SecretKeys::FromText(old_line);
  const auto both = SecretKeys::FromText(
      absl::StrCat("# since May\n", new_line, "\n\n", old_line, "\n"));
  const auto new_keys = SecretKeys::FromText(new_line);
  ASSERT_TRUE(old_keys.ok() && both.ok() && new_keys.ok());
  const Sealed old_sealed = old_keys->Seal(kToken, Place());
  EXPECT_EQ(both->Open(old_sealed, Place()).value_or(""), kToken);
  EXPECT_EQ(both->current_id(), new_keys->current_id());
  EXPECT_EQ(new_keys->Open(both->Seal(kToken, Place()), Place()).value_or(""),
            kToken);
  const auto refused = new_keys->Open(old_sealed, Place());
  EXPECT_EQ(refused.status().message(),
            absl::StrCat("it was sealed by the key ", old_keys->current_id(),
                         ", and here is ", new_keys->current_id(),
                         "; put that key into the file too"));
}

TEST(SecretKeysTest, SaysWhatIsNoKeyAndNeverItsText) {
  const std::string line = SecretKeys::GenerateLine();
  const struct {
    std::string text;
    const char* want;
  } kCases[] = {
      {"", "there is no key"},
      {"# only words\n", "there is no key"},
      {absl::StrCat(line, "\nc2VjcmV0\n"), "line 2 is no key: 32 bytes"},
      {"not base64!", "line 1 is no key"},
      {absl::StrCat(line, "\n", line), "line 2 has a key that was there"},
  };
  for (const auto& test : kCases) {
    const auto keys = SecretKeys::FromText(test.text);
    EXPECT_EQ(keys.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr(test.want));
    EXPECT_EQ(keys.status().message().find("c2VjcmV0"),
              absl::string_view::npos);
  }
  std::string many;
  for (size_t i = 0; i <= SecretKeys::kKeysMax; ++i) {
    absl::StrAppend(&many, SecretKeys::GenerateLine(), "\n");
  }
  EXPECT_THAT(std::string(SecretKeys::FromText(many).status().message()),
              HasSubstr("9 keys; at most 8"));
}

}  // namespace
}  // namespace sgl::engine
