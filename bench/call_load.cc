#include "bench/call_load.h"

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "engine/wake_signal.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "storage/uuid.h"

namespace sgl::bench {
namespace {

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

intent::v1::SubmitIntentRequest RequestOf(uint64_t number) {
  intent::v1::SubmitIntentRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_intent_type("EMAIL_SEND");
  request.set_payload(absl::StrCat(
      R"({"to": ["ann)", number, R"(@example.com"], "subject": "Your order )",
      number,
      R"(", "body": "Dear Ann, your order has left our house and will be )"
      R"(with you in three days. Yours, the shop."})"));
  request.set_spend_micros_usd(1'500'000);
  request.mutable_wait()->set_seconds(30);
  return request;
}

// How a call ends: with when it was answered.
using Ended = std::function<void(absl::Time)>;

}  // namespace

absl::Duration Latencies::At(double part) const {
  SGL_CHECK(!sorted.empty());
  const auto place =
      static_cast<size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(place, sorted.size() - 1)];
}

Latencies LatenciesOf(std::vector<absl::Duration> unsorted,
                      absl::Duration took) {
  std::sort(unsorted.begin(), unsorted.end());
  const double count = static_cast<double>(unsorted.size());
  return {.rate = count / absl::ToDoubleSeconds(took),
          .sorted = std::move(unsorted)};
}

struct CallLoad::State {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<intent::v1::IntentService::Stub> stub;
  std::unique_ptr<grpc::GenericStub> generic;
  std::string authorization;
  std::atomic<uint64_t> next = 1;

  void Submit(Ended ended) {
    struct Call {
      grpc::ClientContext context;
      intent::v1::SubmitIntentRequest request;
      intent::v1::SubmitIntentResponse response;
    };
    auto call = std::make_shared<Call>();
    call->context.AddMetadata("authorization", authorization);
    call->request = RequestOf(next.fetch_add(1));
    stub->async()->SubmitIntent(
        &call->context, &call->request, &call->response,
        [call, ended = std::move(ended)](const grpc::Status& status) {
          const absl::Time now = absl::Now();
          SGL_CHECK(status.ok()) << status.error_message();
          SGL_CHECK(call->response.intent().status() ==
                    intent::v1::INTENT_STATUS_EXECUTED)
              << call->response.DebugString();
          ended(now);
        });
  }

  void AskHealth(Ended ended) {
    struct Call {
      grpc::ClientContext context;
      grpc::ByteBuffer request;
      grpc::ByteBuffer response;
    };
    auto call = std::make_shared<Call>();
    // The empty request: of the server as a whole.
    const grpc::Slice nothing("", 0);
    call->request = grpc::ByteBuffer(&nothing, 1);
    generic->UnaryCall(
        &call->context, kHealth, grpc::StubOptions(), &call->request,
        &call->response,
        [call, ended = std::move(ended)](const grpc::Status& status) {
          const absl::Time now = absl::Now();
          SGL_CHECK(status.ok()) << status.error_message();
          ended(now);
        });
  }
};

namespace {

// The callers of a closed run.
class Callers : public std::enable_shared_from_this<Callers> {
 public:
  Callers(std::function<void(Ended)> call, absl::Time end)
      : call_(std::move(call)), end_(end) {}

  std::vector<absl::Duration> Run(int count) {
    {
      MutexLock lock(mutex_);
      running_ = count;
    }
    for (int i = 0; i < count; ++i) Next();
    MutexLock lock(mutex_);
    mutex_.Await([this]()
                     ABSL_NO_THREAD_SAFETY_ANALYSIS { return running_ == 0; });
    return std::move(taken_);
  }

 private:
  void Next() {
    const absl::Time start = absl::Now();
    call_([this, self = shared_from_this(), start](absl::Time now) {
      {
        MutexLock lock(mutex_);
        taken_.push_back(now - start);
        if (now >= end_) {
          --running_;
          return;
        }
      }
      Next();
    });
  }

  const std::function<void(Ended)> call_;
  const absl::Time end_;
  Mutex mutex_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<absl::Duration> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

CallLoad::CallLoad(const std::string& address, const std::string& token)
    : state_(std::make_unique<State>()) {
  state_->channel =
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  state_->stub = intent::v1::IntentService::NewStub(state_->channel);
  state_->generic = std::make_unique<grpc::GenericStub>(state_->channel);
  state_->authorization = absl::StrCat("Bearer ", token);
}

CallLoad::~CallLoad() = default;

Latencies CallLoad::Closed(const ClosedOptions& options) {
  const absl::Time start = absl::Now();
  const auto callers = std::make_shared<Callers>(
      [this, is_empty = options.is_empty](Ended ended) {
        is_empty ? state_->AskHealth(std::move(ended))
                 : state_->Submit(std::move(ended));
      },
      start + options.duration);
  std::vector<absl::Duration> taken = callers->Run(options.in_flight);
  return LatenciesOf(std::move(taken), absl::Now() - start);
}

Latencies CallLoad::Open(const OpenOptions& options) {
  const auto count = static_cast<int64_t>(
      options.per_second * absl::ToDoubleSeconds(options.duration));
  const absl::Duration pace = absl::Seconds(1) / options.per_second;
  // Shared with the last answer, which may still hold it.
  struct Taken {
    Mutex mutex;
    std::vector<absl::Duration> all ABSL_GUARDED_BY(mutex);
  };
  const auto taken = std::make_shared<Taken>();
  // Nobody sets it off: waits on it take their time.
  engine::WakeSignal pace_keeper;
  const absl::Time start = absl::Now();
  for (int64_t i = 0; i < count; ++i) {
    const absl::Time due = start + i * pace;
    pace_keeper.Wait(due - absl::Now());
    state_->Submit([taken, due](absl::Time now) {
      MutexLock lock(taken->mutex);
      taken->all.push_back(now - due);
    });
  }
  MutexLock lock(taken->mutex);
  taken->mutex.Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return static_cast<int64_t>(taken->all.size()) == count;
  });
  return LatenciesOf(std::move(taken->all), absl::Now() - start);
}

std::string CallLoad::SubmitOne() {
  grpc::ClientContext context;
  context.AddMetadata("authorization", state_->authorization);
  intent::v1::SubmitIntentResponse response;
  const grpc::Status status =
      state_->stub->SubmitIntent(&context, RequestOf(0), &response);
  SGL_CHECK(status.ok()) << status.error_message();
  return response.intent().id();
}

}  // namespace sgl::bench
