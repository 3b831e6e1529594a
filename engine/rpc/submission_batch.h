// The way of BatchSubmitIntents: many submissions in, one result each. Internal
// to engine/rpc.

#ifndef ENGINE_RPC_SUBMISSION_BATCH_H_
#define ENGINE_RPC_SUBMISSION_BATCH_H_

#include <absl/status/status.h>

#include "engine/call_scope.h"
#include "engine/intake.h"
#include "engine/rpc/call.h"
#include "intent/v1/intent_service.pb.h"

namespace sgl::engine {

// As many as a call may hold: the largest transactions are no larger.
inline constexpr int kBatchRequestsMax = 1000;
inline constexpr size_t kBatchBytesMax = 16 * 1024 * 1024;
// Of one in which a request waits: all of it is kept until the last has ended.
inline constexpr size_t kWaitingBytesMax = 1024 * 1024;

// INVALID_ARGUMENT naming the limit where there are none, or too many.
absl::Status CheckSubmissionBatch(
    const intent::v1::BatchSubmitIntentsRequest& request);

// Submits each and calls `done` once all have their result; until then request
// and response must live. REQUIRES: the request was checked.
void SubmitBatch(Intake* intake, const CallScope& scope,
                 const intent::v1::BatchSubmitIntentsRequest& request,
                 intent::v1::BatchSubmitIntentsResponse* response,
                 Calls::Done done);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_SUBMISSION_BATCH_H_
