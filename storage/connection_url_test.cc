// Proves that URLs as users have them become what libpq takes, and that
// nothing is dropped that could matter.

#include "storage/connection_url.h"

#include <absl/strings/match.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sgl::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ConnectionUrl Parsed(absl::string_view url) {
  absl::StatusOr<ConnectionUrl> parsed = ParseConnectionUrl(url, "test");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? *parsed : ConnectionUrl{};
}

TEST(ConnectionUrlTest, DropsWhatOnlyPrismaKnows) {
  const ConnectionUrl url = Parsed(
      "postgresql://me:se%27cret@db:6432/app"
      "?pgbouncer=true&connection_limit=5&sslmode=require&pool_timeout=3");
  EXPECT_THAT(url.connection_string, HasSubstr("sslmode='require'"));
  EXPECT_THAT(url.connection_string, HasSubstr("password='se\\'cret'"));
  EXPECT_THAT(url.connection_string, HasSubstr("port='6432'"));
  EXPECT_THAT(url.connection_string, Not(HasSubstr("pgbouncer")));
  EXPECT_THAT(url.connection_string, Not(HasSubstr("limit")));
  EXPECT_EQ(url.search_path, "");
}

TEST(ConnectionUrlTest, SchemaBecomesTheSearchPath) {
  EXPECT_EQ(Parsed("postgres://h/d?schema=app").search_path, "\"app\"");
  EXPECT_EQ(Parsed("postgres://h/d?schema=a%22b").search_path, "\"a\"\"b\"");
  EXPECT_EQ(Parsed("postgres://h/d?schema=").search_path, "");
}

TEST(ConnectionUrlTest, AddsTimeoutsWhereNoneAreGiven) {
  EXPECT_THAT(Parsed("host=/tmp dbname=d").connection_string,
              HasSubstr("connect_timeout='5'"));
  const std::string given =
      Parsed("postgres://h/d?connect_timeout=30").connection_string;
  EXPECT_THAT(given, HasSubstr("connect_timeout='30'"));
  EXPECT_THAT(given, Not(HasSubstr("connect_timeout='5'")));
  EXPECT_THAT(given, HasSubstr("application_name='test'"));
}

TEST(ConnectionUrlTest, RefusesOtherTextWithoutRepeatingIt) {
  for (const char* url :
       {"postgres://me:hunter2@h/d?sslaccept=strict", "hunter2",
        "mysql://me:hunter2@h/d", "postgres://me:hunter2@h:port:port/d?a"}) {
    SCOPED_TRACE(url);
    const absl::Status status = ParseConnectionUrl(url, "test").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(absl::StrContains(status.message(), "hunter2"));
  }
}

}  // namespace
}  // namespace sgl::storage
