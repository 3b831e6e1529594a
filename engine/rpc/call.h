// The way of every call: from gRPC's thread to a thread of ours, who
// calls, whether they may, the work, the answer. Internal to engine/rpc.
//
//   grpc::ServerUnaryReactor* GetIntent(grpc::CallbackServerContext* context,
//                                       const GetIntentRequest* request,
//                                       GetIntentResponse* response) override {
//     return calls_->Start(context, Method::kGetIntent,
//                          [=, this](const CallScope& scope) {
//                            return Get(scope, *request, response);
//                          });
//   }
//
// gRPC's own threads only queue: they never wait for the database.

#ifndef ENGINE_RPC_CALL_H_
#define ENGINE_RPC_CALL_H_

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "engine/call_scope.h"
#include "engine/lease_waits.h"
#include "engine/rpc/admission.h"
#include "engine/rpc/authorization.h"
#include "engine/rpc/watch_stream.h"
#include "engine/waiters.h"
#include "engine/watches.h"
#include "engine/work_pool.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class Calls {
 public:
  // Ends a call: to be called exactly once, from any thread. The request and
  // the response are gone when it returns.
  using Done = std::function<void(absl::Status)>;

  Calls(Admission* admission, WorkPool* pool, Waiters* waiters,
        Watches* watches, LeaseWaits* lease_waits);

  // Starts a call whose work is done when `work` returns.
  grpc::ServerUnaryReactor* Start(
      grpc::CallbackServerContext* context, Method method,
      std::function<absl::Status(const CallScope&)> work);

  // Starts a call whose work may end later: it calls `done` when it is.
  grpc::ServerUnaryReactor* StartDeferred(
      grpc::CallbackServerContext* context, Method method,
      std::function<void(const CallScope&, Done done)> work);

  // Counts as many calls more of the principal as that.
  void Charge(const storage::Principal& principal, size_t calls) {
    admission_->Charge(principal, calls);
  }

  // Runs a task of a call that goes on, on the pool's threads. False, and the
  // task is dropped, where the pool is full.
  [[nodiscard]] bool TryPost(std::function<void()> task);

  // Returns what says whether the caller may still call, for a call that waits:
  // it isn't counted as another.
  std::function<absl::Status()> Readmitter(
      const grpc::CallbackServerContext& context, Method method);

  // Starts a watch of rows of the caller's tenant. `read` is asked for page
  // after page, on the pool's threads.
  template <typename Response>
  grpc::ServerWriteReactor<Response>* StartWatch(
      grpc::CallbackServerContext* context, Method method,
      std::function<absl::StatusOr<typename WatchStream<Response>::Page>(
          const storage::Principal&, bool wants_beat)>
          read) {
    return WatchStream<Response>::Start({.pool = pool_,
                                         .watches = watches_,
                                         .method = method,
                                         .admit = Admitter(context, method),
                                         .read = std::move(read)});
  }

 private:
  // Returns what says who calls, again and again.
  std::function<absl::StatusOr<storage::Principal>()> Admitter(
      grpc::CallbackServerContext* context, Method method);

  Admission* const admission_;
  WorkPool* const pool_;
  Waiters* const waiters_;
  Watches* const watches_;
  LeaseWaits* const lease_waits_;
  std::atomic<uint64_t> next_id_ = 1;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_CALL_H_
