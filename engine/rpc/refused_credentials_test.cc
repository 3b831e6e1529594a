// Proves that refused credentials are counted by source and minute, within
// bounds whatever comes in, and which callers count as one source.

#include "engine/rpc/refused_credentials.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <numeric>

namespace sgl::engine {
namespace {

const absl::Time kMinute = absl::FromUnixSeconds(60 * 30'000'000);

std::string Text(const std::vector<RefusedCredentials::Count>& counts) {
  std::string text;
  for (const auto& count : counts) {
    absl::StrAppend(&text, (count.minute - kMinute) / absl::Minutes(1), ":",
                    count.source, "=", count.calls, " ");
  }
  return text;
}

TEST(SourceOfPeerTest, ReadsGrpcsPeers) {
  const struct {
    const char* peer;
    const char* source;
  } kCases[] = {
      {"ipv4:10.0.0.7:4711", "10.0.0.7"},
      {"ipv6:%5B2001:db8:1:2:3:4:5:6%5D:4711", "2001:db8:1:2::/64"},
      {"ipv6:[2001:db8:1:2::99]:1", "2001:db8:1:2::/64"},
      {"ipv6:%5Bfe80::1%25eth0%5D:1", "fe80::/64"},
      {"ipv6:[::1]:50051", "::/64"},
      {"unix:/run/intentd.sock", "local"},
      {"unix:", "local"},
      {"ipv4:\nspoofed:1", "unknown"},
      {"ipv4:10.0.0.7", "unknown"},
      {"", "unknown"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(SourceOfPeer(test.peer), test.source) << test.peer;
  }
}

TEST(RefusedCredentialsTest, CountsBySourceAndMinute) {
  RefusedCredentials refused;
  refused.Add("b", kMinute);
  refused.Add("a", kMinute + absl::Seconds(1));
  refused.Add("a", kMinute + absl::Seconds(59));
  EXPECT_EQ(Text(refused.TakeFinished(kMinute + absl::Seconds(59))), "");
  EXPECT_EQ(Text(refused.TakeFinished(kMinute + absl::Seconds(60))),
            "0:a=2 0:b=1 ");
  EXPECT_EQ(Text(refused.TakeFinished(kMinute + absl::Seconds(60))), "");
  refused.Add("a", kMinute + absl::Seconds(61));
  refused.Add("a", kMinute + absl::Seconds(121));
  EXPECT_EQ(Text(refused.TakeFinished(kMinute + absl::Seconds(121))), "1:a=1 ");
  EXPECT_EQ(Text(refused.TakeFinished(kMinute + absl::Seconds(122), true)),
            "2:a=1 ");
}

TEST(RefusedCredentialsTest, AFloodFromEverywhereStaysSmall) {
  RefusedCredentials refused;
  for (int i = 0; i < 10'000; ++i) refused.Add(absl::StrCat(i), kMinute);
  const auto counts = refused.TakeFinished(kMinute, true);
  EXPECT_EQ(counts.size(), RefusedCredentials::kSourcesMax + 1);
  EXPECT_EQ(counts.back().source, "others");
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0},
                            [](int64_t sum, const auto& count) {
                              return sum + count.calls;
                            }),
            10'000);
  // Nobody takes for an hour: what is kept stays small all the same.
  for (int minute = 0; minute < 60; ++minute) {
    for (int i = 0; i < 100; ++i) {
      refused.Add(absl::StrCat(i), kMinute + absl::Minutes(minute));
    }
  }
  EXPECT_LE(refused.TakeFinished(kMinute, true).size(),
            2 * (RefusedCredentials::kSourcesMax + 1));
}

}  // namespace
}  // namespace sgl::engine
