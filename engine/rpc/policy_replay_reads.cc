#include "engine/rpc/policy_replay_reads.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <google/protobuf/util/time_util.h>

#include <memory>
#include <utility>

#include "engine/call_scope.h"
#include "engine/error.h"
#include "engine/policy_versions.h"
#include "engine/replay_tally.h"

namespace sgl::engine {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::ReplayPolicyRequest;
using intent::v1::ReplayPolicyResponse;
using Page = WatchStream<ReplayPolicyResponse>::Page;

// Between two messages of a replay that is under way.
constexpr absl::Duration kPause = absl::Milliseconds(500);
constexpr int kExamplesDefault = 5;

intent::v1::DecisionKind ToProto(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kAllow:
      return intent::v1::DECISION_KIND_ALLOW;
    case DecisionKind::kReview:
      return intent::v1::DECISION_KIND_REVIEW;
    case DecisionKind::kBlock:
      break;
  }
  return intent::v1::DECISION_KIND_BLOCK;
}

intent::v1::RuleEffect ToProto(RuleEffect effect) {
  switch (effect) {
    case RuleEffect::kApplies:
      return intent::v1::RULE_EFFECT_APPLIES;
    case RuleEffect::kNoLonger:
      return intent::v1::RULE_EFFECT_NO_LONGER;
    case RuleEffect::kDemandsOther:
      break;
  }
  return intent::v1::RULE_EFFECT_DEMANDS_OTHER;
}

// Fills in what both kinds of changes have.
template <typename Message>
void SetCount(const ReplayChange& change, const ReplayCount& count,
              Message* message) {
  message->set_from(ToProto(change.from));
  message->set_to(ToProto(change.to));
  message->set_count(count.count);
  for (const ReplayExample& example : count.examples) {
    intent::v1::ReplayExample* added = message->add_examples();
    added->set_tenant_id(example.tenant_id);
    added->set_intent_id(example.intent_id);
    added->set_transition_number(example.transition_number);
  }
}

ReplayPolicyResponse ResponseOf(const PolicyReplay& replay,
                                const ReplayProgress& progress) {
  const ReplayTally& tally = replay.tally();
  ReplayPolicyResponse response;
  response.set_digest(replay.digest());
  response.set_decision_count(tally.compared());
  response.set_same_count(tally.same());
  response.set_skipped_count(tally.skipped());
  if (progress.position.has_value()) {
    *response.mutable_position() = TimeUtil::MicrosecondsToTimestamp(
        absl::ToUnixMicros(*progress.position));
  }
  response.set_tenants_done(progress.tenants_done);
  response.set_tenant_count(progress.tenant_count);
  response.set_done(progress.is_caught_up);
  for (const auto& [change, count] : tally.Changes()) {
    SetCount(change, count, response.add_changes());
  }
  for (const auto& [rule, count] : tally.Rules()) {
    intent::v1::RuleChange* added = response.add_rules();
    added->set_layer(rule.layer);
    added->set_code(rule.code);
    added->set_effect(ToProto(rule.effect));
    SetCount(rule.change, count, added);
  }
  response.set_more_rules(tally.has_more_rules());
  return response;
}

absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& time,
                                     absl::string_view field) {
  constexpr int32_t kNanosMax = 999'999'999;
  if (time.seconds() < TimeUtil::kTimestampMinSeconds ||
      time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
      time.nanos() > kNanosMax) {
    return BadField(field, "it is no time");
  }
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

absl::StatusOr<PolicyReplayRequest> FromProto(
    const ReplayPolicyRequest& request) {
  PolicyReplayRequest replay{
      .name = {.id = request.id(), .digest = request.digest()},
      .start = absl::UnixEpoch(),
      .intent_type = request.intent_type(),
      .examples_max = request.max_examples() == 0 ? kExamplesDefault
                                                  : request.max_examples(),
      .follows = request.follow()};
  switch (request.scope()) {
    case intent::v1::POLICY_SCOPE_UNSPECIFIED:
      break;
    case intent::v1::POLICY_SCOPE_PLATFORM:
      replay.whose = PolicyScope::kPlatform;
      break;
    case intent::v1::POLICY_SCOPE_TENANT:
      replay.whose = PolicyScope::kTenant;
      break;
    default:
      return BadField("scope", "this number is no scope");
  }
  if (request.has_start_time()) {
    const auto start = FromProto(request.start_time(), "start_time");
    if (!start.ok()) return start.status();
    replay.start = *start;
  }
  if (request.has_end_time()) {
    const auto end = FromProto(request.end_time(), "end_time");
    if (!end.ok()) return end.status();
    replay.end = *end;
  }
  return replay;
}

// One call's replay. Confined to whoever reads its pages, one at a time.
class Reader {
 public:
  Reader(PolicyReplays* replays, ReplayPolicyRequest request)
      : replays_(replays), request_(std::move(request)) {}

  absl::StatusOr<Page> Read(const storage::Principal& caller, bool wants_beat) {
    // Between two pages the stream itself sees to cancellation and deadline.
    const CallScope scope(std::make_shared<CallState>(), caller,
                          absl::InfiniteFuture());
    if (replay_ == nullptr) {
      const absl::StatusOr<PolicyReplayRequest> request = FromProto(request_);
      if (!request.ok()) return request.status();
      auto begun = replays_->Begin(scope, *request);
      if (!begun.ok()) return begun.status();
      replay_ = *std::move(begun);
    }
    const absl::StatusOr<ReplayProgress> progress = replay_->Step(scope);
    if (!progress.ok()) return progress.status();
    Page page;
    page.has_more = !progress->is_caught_up;
    page.is_last = progress->is_caught_up && !request_.follow();
    const int64_t seen =
        replay_->tally().compared() + replay_->tally().skipped();
    // That all is in is news too, where the last message could not say so.
    const bool is_news =
        seen != told_ || wants_beat || (progress->is_caught_up && !told_done_);
    const absl::Time now = absl::Now();
    if (page.is_last ||
        (is_news && (progress->is_caught_up || now >= told_at_ + kPause))) {
      page.responses.push_back(ResponseOf(*replay_, *progress));
      told_ = seen;
      told_done_ = progress->is_caught_up;
      told_at_ = now;
    }
    return page;
  }

 private:
  PolicyReplays* const replays_;
  const ReplayPolicyRequest request_;
  std::unique_ptr<PolicyReplay> replay_;
  // What the last message told of, and when.
  int64_t told_ = -1;
  bool told_done_ = false;
  absl::Time told_at_ = absl::InfinitePast();
};

}  // namespace

std::function<absl::StatusOr<Page>(const storage::Principal&, bool wants_beat)>
PolicyReplayReader(PolicyReplays* replays, const ReplayPolicyRequest& request) {
  return [reader = std::make_shared<Reader>(replays, request)](
             const storage::Principal& caller, bool wants_beat) {
    return reader->Read(caller, wants_beat);
  };
}

}  // namespace sgl::engine
