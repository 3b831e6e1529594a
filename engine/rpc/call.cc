#include "engine/rpc/call.h"

#include <absl/time/time.h>

#include <chrono>
#include <string>
#include <utility>

#include "engine/error.h"
#include "engine/rpc/status.h"

namespace sgl::engine {
namespace {

// The transport's end of a call. Deletes itself when gRPC is done with it;
// that is after Finish, so whoever holds a `Done` may use it until then.
class UnaryCall : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(std::shared_ptr<CallState> state, Method method, Waiters* waiters,
            LeaseWaits* lease_waits)
      : state_(std::move(state)),
        method_(method),
        waiters_(waiters),
        lease_waits_(lease_waits) {}

  void End(const absl::Status& status) {
    Finish(ToGrpcStatus(status, MethodName(method_)));
  }

  void OnCancel() override {
    state_->is_canceled = true;
    waiters_->Cancel(state_->id);
    lease_waits_->Cancel(state_->id);
  }
  void OnDone() override { delete this; }

 private:
  const std::shared_ptr<CallState> state_;
  const Method method_;
  Waiters* const waiters_;
  LeaseWaits* const lease_waits_;
};

std::string AuthorizationOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto [first, last] = metadata.equal_range("authorization");
  if (first == last) return "";
  // Two would leave it open who calls.
  if (std::next(first) != last) return "twice";
  return std::string(first->second.data(), first->second.size());
}

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  // gRPC states "none" as the greatest time there is, give or take a unit.
  if (deadline > std::chrono::system_clock::now() + std::chrono::hours(24)) {
    return absl::InfiniteFuture();
  }
  return absl::FromChrono(deadline);
}

Admission::Arrival ArrivalOf(const grpc::CallbackServerContext& context,
                             Method method) {
  return {.authorization = AuthorizationOf(context),
          .peer = context.peer(),
          .method = method};
}

}  // namespace

Calls::Calls(Admission* admission, WorkPool* pool, Waiters* waiters,
             Watches* watches, LeaseWaits* lease_waits)
    : admission_(admission),
      pool_(pool),
      waiters_(waiters),
      watches_(watches),
      lease_waits_(lease_waits) {}

grpc::ServerUnaryReactor* Calls::Start(
    grpc::CallbackServerContext* context, Method method,
    std::function<absl::Status(const CallScope&)> work) {
  return StartDeferred(
      context, method,
      [work = std::move(work)](const CallScope& scope, Done done) {
        done(work(scope));
      });
}

grpc::ServerUnaryReactor* Calls::StartDeferred(
    grpc::CallbackServerContext* context, Method method,
    std::function<void(const CallScope&, Done done)> work) {
  auto state = std::make_shared<CallState>();
  state->id = next_id_.fetch_add(1);
  auto* call = new UnaryCall(state, method, waiters_, lease_waits_);
  const absl::Time deadline = DeadlineOf(*context);
  auto task = [this, call, state, deadline,
               arrival = ArrivalOf(*context, method), work = std::move(work)] {
    const absl::StatusOr<storage::Principal> principal =
        admission_->Admit(arrival);
    if (!principal.ok()) return call->End(principal.status());
    const CallScope scope(state, *principal, deadline);
    const absl::Status alive = scope.CheckAlive();
    if (!alive.ok()) return call->End(alive);
    work(scope, [call](const absl::Status& status) { call->End(status); });
  };
  if (!pool_->TryPost(std::move(task))) {
    call->End(Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                      "the engine's queue is full; try again"));
  }
  return call;
}

bool Calls::TryPost(std::function<void()> task) {
  return pool_->TryPost(std::move(task));
}

std::function<absl::Status()> Calls::Readmitter(
    const grpc::CallbackServerContext& context, Method method) {
  return [this, arrival = ArrivalOf(context, method)] {
    return admission_->AdmitAgain(arrival).status();
  };
}

std::function<absl::StatusOr<storage::Principal>()> Calls::Admitter(
    grpc::CallbackServerContext* context, Method method) {
  return
      [this, arrival = ArrivalOf(*context, method), is_first = true]() mutable {
        return std::exchange(is_first, false) ? admission_->Admit(arrival)
                                              : admission_->AdmitAgain(arrival);
      };
}

}  // namespace sgl::engine
