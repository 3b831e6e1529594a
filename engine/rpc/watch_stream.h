// One watch on its way over gRPC: looks when told to, sends what it found one
// message at a time, and looks again only when all of it is sent. A slow
// client therefore holds one page in memory and nothing else. Internal to
// engine/rpc.
//
//   return WatchStream<WatchIntentsResponse>::Start(
//       {.pool = ..., .watches = ..., .method = Method::kWatchIntents,
//        .admit = ..., .read = ...});

#ifndef ENGINE_RPC_WATCH_STREAM_H_
#define ENGINE_RPC_WATCH_STREAM_H_

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "engine/error.h"
#include "engine/rpc/authorization.h"
#include "engine/rpc/status.h"
#include "engine/watches.h"
#include "engine/work_pool.h"
#include "storage/identity.h"

namespace sgl::engine {

// A stream of `Response`s. Deletes itself when gRPC is done with it.
template <typename Response>
class WatchStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // What one look found.
  struct Page {
    std::deque<Response> responses;
    // More is there already.
    bool has_more = false;
    // Nothing more will come: the stream ends well once these are sent.
    bool is_last = false;
  };

  // Called on the pool's threads, one at a time.
  struct Options {
    WorkPool* pool;
    Watches* watches;
    Method method;
    // Returns who calls; asked before each look, so that a watch ends when its
    // token does.
    std::function<absl::StatusOr<storage::Principal>()> admit;
    // Returns the next page for that caller. `wants_beat`: a message that only
    // moves the cursor on is due, where there is no other.
    std::function<absl::StatusOr<Page>(const storage::Principal&,
                                       bool wants_beat)>
        read;
  };

  static grpc::ServerWriteReactor<Response>* Start(Options options) {
    auto* reactor = new WatchStream(std::move(options));
    reactor->state_->Post(&State::Open);
    return reactor;
  }

  void OnWriteDone(bool ok) override {
    const std::shared_ptr<State> state = state_;
    state->Sent(ok);
  }
  void OnCancel() override {
    const std::shared_ptr<State> state = state_;
    state->End(absl::CancelledError("the caller went away"));
  }
  void OnDone() override { delete this; }

 private:
  // What outlives the reactor, since a look may be under way when gRPC is done
  // with it. Touches the reactor only before Finish, which is called once.
  //
  // INVARIANT: `is_busy_` is held by whoever looks or sends; only its holder
  // starts a write or finishes the call.
  class State final : public Watch, public std::enable_shared_from_this<State> {
   public:
    State(WatchStream* reactor, Options options)
        : reactor_(reactor), options_(std::move(options)) {}

    // Does `step` on the pool. REQUIRES: the caller holds `is_busy_`.
    void Post(void (State::*step)()) {
      const bool is_posted = options_.pool->TryPost(
          [self = this->shared_from_this(), step] { ((*self).*step)(); });
      if (is_posted) return;
      Fail(Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "the engine's queue is full; watch again with the last "
                   "cursor"));
    }

    void Open() {
      const absl::StatusOr<storage::Principal> principal = options_.admit();
      if (!principal.ok()) return Fail(principal.status());
      const absl::Status added =
          options_.watches->Add(this->shared_from_this(), principal->tenant_id);
      if (!added.ok()) return Fail(added);
      Read(*principal);
    }

    void Look() override {
      {
        MutexLock lock(mutex_);
        if (end_.has_value()) return;
        if (is_busy_) {
          is_due_ = true;
          return;
        }
        is_busy_ = true;
      }
      Post(&State::ReadAgain);
    }

    void End(const absl::Status& status) override {
      {
        MutexLock lock(mutex_);
        if (end_.has_value()) return;
        end_ = status;
        if (is_busy_) return;
        is_busy_ = true;
      }
      Finish();
    }

    void Sent(bool ok) {
      if (!ok) return Fail(absl::CancelledError("the caller went away"));
      sent_ = absl::Now();
      page_.responses.pop_front();
      Next();
    }

   private:
    void ReadAgain() {
      const absl::StatusOr<storage::Principal> principal = options_.admit();
      if (!principal.ok()) return Fail(principal.status());
      Read(*principal);
    }

    void Read(const storage::Principal& principal) {
      absl::StatusOr<Page> page = options_.read(
          principal, absl::Now() >= sent_ + Watches::kBeatInterval);
      if (!page.ok()) return Fail(page.status());
      page_ = *std::move(page);
      Next();
    }

    // Sends, looks again, rests, or ends: whatever is next.
    void Next() {
      enum class Step { kSend, kRead, kRest, kFinish } step = Step::kRest;
      {
        MutexLock lock(mutex_);
        if (end_.has_value()) {
          step = Step::kFinish;
        } else if (!page_.responses.empty()) {
          step = Step::kSend;
        } else if (page_.is_last) {
          end_ = absl::OkStatus();
          step = Step::kFinish;
        } else if (page_.has_more || is_due_) {
          is_due_ = false;
          step = Step::kRead;
        } else {
          is_busy_ = false;
        }
      }
      if (step == Step::kSend) reactor_->StartWrite(&page_.responses.front());
      if (step == Step::kRead) Post(&State::ReadAgain);
      if (step == Step::kFinish) Finish();
    }

    void Fail(const absl::Status& status) {
      {
        MutexLock lock(mutex_);
        if (!end_.has_value()) end_ = status;
      }
      Finish();
    }

    void Finish() {
      options_.watches->Remove(this);
      absl::Status status;
      {
        MutexLock lock(mutex_);
        status = *end_;
      }
      reactor_->Finish(ToGrpcStatus(status, MethodName(options_.method)));
    }

    WatchStream* const reactor_;
    Options options_;
    // Both confined to whoever holds `is_busy_`.
    Page page_;
    absl::Time sent_ = absl::InfinitePast();
    Mutex mutex_;
    bool is_busy_ ABSL_GUARDED_BY(mutex_) = true;
    // Told to look while busy.
    bool is_due_ ABSL_GUARDED_BY(mutex_) = false;
    // How the stream ends, once it is known.
    std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  };

  explicit WatchStream(Options options)
      : state_(std::make_shared<State>(this, std::move(options))) {}

  const std::shared_ptr<State> state_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_WATCH_STREAM_H_
