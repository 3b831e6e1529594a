// Proves that dollars are read and shown exactly, and that demands read as
// sentences.

#include "tools/intentctl/print.h"

#include <gtest/gtest.h>

namespace sgl::tools {
namespace {

TEST(ParseUsdTest, ReadsExactMicros) {
  EXPECT_EQ(ParseUsd("250").value(), 250'000'000);
  EXPECT_EQ(ParseUsd("0.05").value(), 50'000);
  EXPECT_EQ(ParseUsd("249.999999").value(), 249'999'999);
  EXPECT_EQ(ParseUsd("9223372036854.775807").value(),
            9'223'372'036'854'775'807);
}

TEST(ParseUsdTest, RefusesWhatIsNoAmount) {
  for (const char* text : {"", "-1", "$5", "1e3", "1.", ".5", "1.0000001",
                           "9223372036854.775808", "1.2.3", " 1"}) {
    EXPECT_FALSE(ParseUsd(text).ok()) << "`" << text << "`";
  }
}

TEST(FormatUsdTest, ShowsCentsAndMore) {
  EXPECT_EQ(FormatUsd(250'000'000), "$250");
  EXPECT_EQ(FormatUsd(50'000), "$0.05");
  EXPECT_EQ(FormatUsd(500'000), "$0.50");
  EXPECT_EQ(FormatUsd(1), "$0.000001");
}

TEST(FormatDemandsTest, NamesCountAndRoles) {
  intent::v1::Decision decision;
  auto* demand = decision.add_demands();
  demand->set_count(2);
  demand->add_roles("compliance");
  demand->add_roles("owner");
  decision.add_demands()->set_count(1);
  EXPECT_EQ(FormatDemands(decision.demands()),
            "2 from compliance or owner; 1 from anybody who may approve");
}

}  // namespace
}  // namespace sgl::tools
