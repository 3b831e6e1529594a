#include "engine/rpc/submission_batch.h"

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/item_status.h"
#include "engine/rpc/page.h"
#include "storage/intents.h"

namespace sgl::engine {
namespace {

// What of an intent tells what became of it: a small part of 3 KiB.
intent::v1::Intent Essence(const intent::v1::Intent& whole) {
  intent::v1::Intent essence;
  essence.set_id(whole.id());
  essence.set_intent_type(whole.intent_type());
  essence.set_status(whole.status());
  essence.set_decision_memo_id(whole.decision_memo_id());
  essence.set_job_id(whole.job_id());
  essence.set_failure_reason(whole.failure_reason());
  essence.set_request_id(whole.request_id());
  return essence;
}

// Gathers the results. Shared by the members, the last of which ends the call.
class Results {
 public:
  Results(int count, intent::v1::BatchSubmitIntentsResponse* response,
          Calls::Done done)
      : missing_(count), response_(response), done_(std::move(done)) {
    for (int i = 0; i < count; ++i) response_->add_results();
  }

  void Set(int index, const absl::StatusOr<storage::IntentRow>& row) {
    {
      MutexLock lock(mutex_);
      auto* result = response_->mutable_results(index);
      const absl::Status status =
          row.ok() ? ToProto(*row, result->mutable_intent()) : row.status();
      if (!status.ok()) {
        result->clear_intent();
        SetItemStatus(status, Method::kBatchSubmitIntents,
                      result->mutable_status());
      }
      // Clients refuse more than they expect.
      if (bytes_ + result->ByteSizeLong() > kPageBytesMax &&
          result->has_intent()) {
        *result->mutable_intent() = Essence(result->intent());
      }
      bytes_ += result->ByteSizeLong();
      if (--missing_ > 0) return;
    }
    // Response and request are gone from here on.
    done_(absl::OkStatus());
  }

 private:
  Mutex mutex_;
  int missing_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  intent::v1::BatchSubmitIntentsResponse* const response_
      ABSL_PT_GUARDED_BY(mutex_);
  const Calls::Done done_;
};

absl::StatusOr<Submission> SubmissionOf(
    const intent::v1::SubmitIntentRequest& request) {
  if (request.validate_only()) {
    return BadField("validate_only",
                    "a batch stores what it holds; check requests one by one");
  }
  return FromProto(request);
}

}  // namespace

absl::Status CheckSubmissionBatch(
    const intent::v1::BatchSubmitIntentsRequest& request) {
  if (request.requests().empty() ||
      request.requests_size() > kBatchRequestsMax) {
    return BadField("requests",
                    absl::StrCat("1 to ", kBatchRequestsMax, " are taken, not ",
                                 request.requests_size()));
  }
  if (request.ByteSizeLong() > kBatchBytesMax) {
    return BadField("requests",
                    absl::StrCat("at most ", kBatchBytesMax >> 20,
                                 " MiB are taken; send several batches"));
  }
  const bool waits =
      std::any_of(request.requests().begin(), request.requests().end(),
                  [](const auto& one) { return one.has_wait(); });
  if (waits && request.ByteSizeLong() > kWaitingBytesMax) {
    return BadField(
        "requests",
        absl::StrCat("a batch of more than ", kWaitingBytesMax >> 20,
                     " MiB is not waited for; leave `wait` out"));
  }
  return absl::OkStatus();
}

void SubmitBatch(Intake* intake, const CallScope& scope,
                 const intent::v1::BatchSubmitIntentsRequest& request,
                 intent::v1::BatchSubmitIntentsResponse* response,
                 Calls::Done done) {
  const int count = request.requests_size();
  const auto results =
      std::make_shared<Results>(count, response, std::move(done));
  std::vector<Intake::BatchItem> items;
  // Results come only after the last request was looked at.
  std::vector<std::pair<int, absl::Status>> refused;
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<Submission> submission = SubmissionOf(request.requests(i));
    if (!submission.ok()) {
      refused.emplace_back(i, submission.status());
      continue;
    }
    items.push_back(
        {.submission = *std::move(submission),
         .done = [results, i](const absl::StatusOr<storage::IntentRow>& row) {
           results->Set(i, row);
         }});
  }
  for (const auto& [index, status] : refused) results->Set(index, status);
  if (!items.empty()) intake->SubmitBatch(scope, std::move(items));
}

}  // namespace sgl::engine
