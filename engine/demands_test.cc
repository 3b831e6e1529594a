// Proves when votes meet demands: different people, fitting roles, members
// still, not expired, not barred; one person's vote towards each demand that it
// fits; and that lent roles never make two people out of one.

#include "engine/demands.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

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

// The same of one who speaks by what others lend: of each, compliance.
VoteRow ApproveFor(const std::string& person,
                   const std::vector<std::string>& lenders,
                   std::vector<std::string> roles = {"member"}) {
  VoteRow vote = Approve(person, std::move(roles));
  for (const std::string& lender : lenders) {
    vote.lent.push_back({"d-" + lender, lender, {"compliance"}});
  }
  return vote;
}

bool MeetsDemands(const std::vector<ApprovalDemand>& demands,
                  const std::vector<VoteRow>& votes) {
  return engine::MeetsDemands(demands, votes, {});
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

TEST(MeetsDemandsTest, WhoIsBarredByNowDoesNotCount) {
  const std::vector<ApprovalDemand> demands = {{1, {"compliance"}}};
  const std::vector<VoteRow> own = {Approve("a", {"compliance"})};
  EXPECT_TRUE(engine::MeetsDemands(demands, own, {"b"}));
  EXPECT_FALSE(engine::MeetsDemands(demands, own, {"a"}));
  const std::vector<VoteRow> lent = {ApproveFor("x", {"a"})};
  EXPECT_TRUE(engine::MeetsDemands(demands, lent, {"b"}));
  EXPECT_FALSE(engine::MeetsDemands(demands, lent, {"a"}));
  EXPECT_FALSE(engine::MeetsDemands(demands, lent, {"x"}));
}

TEST(MeetsDemandsTest, LentRolesAreTheLendersOnePlace) {
  const std::vector<ApprovalDemand> two = {{2, {"compliance"}}};
  const VoteRow ann = Approve("ann", {"compliance"});
  const VoteRow bob = Approve("bob", {"compliance"});
  EXPECT_TRUE(MeetsDemands(two, {ann, bob}));
  // With the lender, or with another who borrows from the same.
  EXPECT_FALSE(MeetsDemands(two, {ann, ApproveFor("x", {"ann"})}));
  EXPECT_FALSE(
      MeetsDemands(two, {ApproveFor("x", {"ann"}), ApproveFor("y", {"ann"})}));
  EXPECT_TRUE(MeetsDemands(two, {bob, ApproveFor("x", {"ann"})}));
  EXPECT_TRUE(
      MeetsDemands(two, {ApproveFor("x", {"ann"}), ApproveFor("y", {"bob"})}));
  // Both have it themselves: the delegation takes nothing away.
  EXPECT_TRUE(
      MeetsDemands(two, {ann, ApproveFor("bob", {"ann"}, {"compliance"})}));
  // One person is one, however many lend to them.
  EXPECT_FALSE(MeetsDemands(two, {ApproveFor("x", {"ann", "bob"})}));
}

TEST(MeetsDemandsTest, PlacesAreGivenSoThatMostFind) {
  const std::vector<ApprovalDemand> two = {{2, {"compliance"}}};
  // x could take either place, y only the one that x would take first.
  EXPECT_TRUE(MeetsDemands(
      two, {ApproveFor("x", {"ann", "bob"}), ApproveFor("y", {"ann"})}));
  const std::vector<ApprovalDemand> three = {{3, {"compliance"}}};
  EXPECT_FALSE(MeetsDemands(
      three, {ApproveFor("x", {"ann", "bob"}), ApproveFor("y", {"ann"}),
              ApproveFor("z", {"bob", "ann"})}));
}

TEST(FitOfTest, OwnRolesGoBeforeLentOnes) {
  const std::vector<ApprovalDemand> demands = {{1, {"compliance"}},
                                               {1, {"privacy"}}};
  const storage::Standing both = {
      .is_member = true,
      .roles = {"compliance"},
      .lent = {{"d1", "ann", {"compliance"}}, {"d2", "bob", {"privacy"}}}};
  const Fit fit = FitOf(demands, both, {});
  EXPECT_TRUE(fit.fits);
  EXPECT_EQ(fit.delegation_ids, std::vector<std::string>{"d2"});
  EXPECT_TRUE(FitOf(demands, both, {"bob"}).delegation_ids.empty());
  const storage::Standing neither = {
      .is_member = true, .roles = {"member"}, .lent = {{"d1", "ann", {"x"}}}};
  EXPECT_FALSE(FitOf(demands, neither, {}).fits);
  EXPECT_TRUE(FitOf({{1, {}}}, neither, {}).fits);
  EXPECT_TRUE(FitOf({{1, {"y"}}, {1, {"x"}}}, neither, {}).fits);
  EXPECT_FALSE(FitOf({{1, {"x"}}}, neither, {"ann"}).fits);
}

TEST(WidenTest, AddsTheRoleWhereTheOtherIsNamed) {
  const std::vector<Escalation> escalations = {
      {"compliance", "legal", absl::UnixEpoch()},
      {"legal", "board", absl::UnixEpoch()}};
  const std::vector<ApprovalDemand> widened = Widen(
      {{2, {"compliance", "owner"}}, {1, {}}, {1, {"privacy"}}}, escalations);
  // One escalation never sets off another.
  EXPECT_EQ(widened[0].roles,
            (std::vector<std::string>{"compliance", "legal", "owner"}));
  EXPECT_EQ(widened[0].count, 2);
  EXPECT_TRUE(widened[1].roles.empty());
  EXPECT_EQ(widened[2].roles, std::vector<std::string>{"privacy"});
}

TEST(EscalationsFromJsonTest, ReadsWhatTheColumnHolds) {
  const auto read =
      EscalationsFromJson(R"([{"from": "a", "to": "b", "at": 1000000}])");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].from_role, "a");
  EXPECT_EQ((*read)[0].to_role, "b");
  EXPECT_EQ((*read)[0].created_at, absl::FromUnixSeconds(1));
  EXPECT_TRUE(EscalationsFromJson("[]")->empty());
  for (const char* broken :
       {"", "{}", "[1]", R"([{"from": "a", "to": "b"}])"}) {
    EXPECT_EQ(EscalationsFromJson(broken).status().code(),
              absl::StatusCode::kInternal)
        << broken;
  }
}

}  // namespace
}  // namespace sgl::engine
