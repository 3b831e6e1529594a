// Proves that an event is one line, whatever text of others is in it.

#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sgl {
namespace {

TEST(LogTest, TextOfOthersMakesNoLineAndDrivesNoTerminal) {
  ::testing::internal::CaptureStderr();
  InitLog("info");
  LogWarn("from {}", "x\n2026-01-01T00:00:00.000Z info forged\x1b[2J\r");
  LogWarn("caf\u00E9 {}%v {{}}", "%n");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("from x\\n2026-01-01T00:00:00.000Z info "
                     "forged\\x1b[2J\\x0d\n"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("caf\u00E9 %n%v {}\n"), std::string::npos) << log;
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2);
}

}  // namespace
}  // namespace sgl
