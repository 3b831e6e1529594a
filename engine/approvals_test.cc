// Proves when votes meet demands: different people, fitting roles, members
// still, not expired; one person's vote towards each demand that it fits.

#include "engine/approvals.h"

#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

using storage::Verdict;
using storage::VoteRow;

VoteRow Approve(const std::string& person, std::vector<std::string> roles) {
  VoteRow vote;
  vote.approved_by = person;
  vote.roles = std::move(roles);
  vote.is_member = true;
  return vote;
}

TEST(MeetsDemandsTest, NoDemandIsMet) { EXPECT_TRUE(MeetsDemands({}, {})); }

TEST(MeetsDemandsTest, OneVoteCountsTowardsEachDemandItFits) {
  const std::vector<ApprovalDemand> demands = {{1, {"compliance"}},
                                               {1, {"privacy"}}};
  EXPECT_TRUE(MeetsDemands(demands, {Approve("a", {"compliance", "privacy"})}));
  EXPECT_FALSE(MeetsDemands(demands, {Approve("a", {"compliance"})}));
  EXPECT_TRUE(MeetsDemands(
      demands, {Approve("a", {"compliance"}), Approve("b", {"privacy"})}));
}

TEST(MeetsDemandsTest, TwoVotesOfOnePersonAreOne) {
  const std::vector<ApprovalDemand> demands = {{2, {}}};
  EXPECT_FALSE(
      MeetsDemands(demands, {Approve("a", {"x"}), Approve("a", {"x"})}));
  EXPECT_TRUE(MeetsDemands(demands, {Approve("a", {"x"}), Approve("b", {})}));
}

TEST(MeetsDemandsTest, AnyOfTheDemandsRolesWillDo) {
  const std::vector<ApprovalDemand> demands = {{2, {"compliance", "owner"}}};
  EXPECT_TRUE(MeetsDemands(
      demands, {Approve("a", {"owner"}), Approve("b", {"compliance"})}));
  EXPECT_FALSE(MeetsDemands(
      demands, {Approve("a", {"owner"}), Approve("b", {"member"})}));
}

TEST(MeetsDemandsTest, ExpiredRejectingAndFormerMembersDoNotCount) {
  const std::vector<ApprovalDemand> demands = {{1, {}}};
  VoteRow expired = Approve("a", {});
  expired.expired = true;
  VoteRow rejecting = Approve("b", {});
  rejecting.verdict = Verdict::kReject;
  VoteRow former = Approve("c", {});
  former.is_member = false;
  EXPECT_FALSE(MeetsDemands(demands, {expired, rejecting, former}));
}

TEST(FitsAnyDemandTest, AnybodyFitsWhereNoRoleIsNamed) {
  EXPECT_TRUE(FitsAnyDemand({{1, {}}}, {}));
  EXPECT_TRUE(FitsAnyDemand({{1, {"x"}}, {1, {"y"}}}, {"y"}));
  EXPECT_FALSE(FitsAnyDemand({{1, {"x"}}}, {"y"}));
}

}  // namespace
}  // namespace sgl::engine
