#include "storage/listener.h"

#include <absl/strings/str_cat.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <pqxx/notification>
#include <utility>

#include "base/check.h"
#include "storage/connection_url.h"
#include "storage/guard.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

// Keeps what comes on one channel.
class Receiver : public pqxx::notification_receiver {
 public:
  Receiver(pqxx::connection& connection, const std::string& channel,
           std::vector<Notification>* received)
      : pqxx::notification_receiver(connection, channel), received_(received) {}

  void operator()(const std::string& payload, int /*backend_pid*/) override {
    received_->push_back({.channel = channel(), .payload = payload});
  }

 private:
  std::vector<Notification>* const received_;
};

}  // namespace

struct Listener::State {
  State(std::string connection_text, std::vector<std::string> channel_names)
      : connection_string(std::move(connection_text)),
        channels(std::move(channel_names)),
        interrupt_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SGL_CHECK(interrupt_fd >= 0) << "no eventfd";
  }
  ~State() {
    Disconnect();
    close(interrupt_fd);
  }

  void Connect() {
    session = std::make_unique<Session>(connection_string);
    for (const std::string& channel : channels) {
      receivers.push_back(std::make_unique<Receiver>(session->connection(),
                                                     channel, &received));
    }
  }

  void Disconnect() {
    // libpqxx sends UNLISTEN here, which fails on a dead connection.
    const absl::Status ignored = Guard("stop listening", [&] {
      receivers.clear();
      session = nullptr;
      return absl::OkStatus();
    });
    static_cast<void>(ignored);
  }

  // Waits for the socket or the interrupt, at most until `deadline`.
  void AwaitInput(absl::Time deadline) {
    pollfd fds[2] = {
        {.fd = session->connection().sock(), .events = POLLIN, .revents = 0},
        {.fd = interrupt_fd, .events = POLLIN, .revents = 0}};
    const absl::Duration left = std::clamp(
        deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
    poll(fds, 2,
         static_cast<int>(absl::ToInt64Milliseconds(
             absl::Ceil(left, absl::Milliseconds(1)))));
  }

  bool TakeInterrupt() {
    uint64_t count = 0;
    return read(interrupt_fd, &count, sizeof(count)) == sizeof(count);
  }

  const std::string connection_string;
  const std::vector<std::string> channels;
  const int interrupt_fd;
  std::vector<Notification> received;
  std::unique_ptr<Session> session;
  std::vector<std::unique_ptr<Receiver>> receivers;
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() = default;

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(
    absl::string_view direct_url, std::vector<std::string> channels) noexcept {
  using Result = absl::StatusOr<std::unique_ptr<Listener>>;
  return Guard("make a listener", [&]() -> Result {
    absl::StatusOr<ConnectionUrl> url =
        ParseConnectionUrl(direct_url, "intent-engine listener");
    if (!url.ok()) return url.status();
    return std::unique_ptr<Listener>(new Listener(std::make_unique<State>(
        std::move(url->connection_string), std::move(channels))));
  });
}

absl::StatusOr<Wakeup> Listener::Wait(absl::Duration timeout) noexcept {
  const absl::Time deadline = absl::Now() + timeout;
  absl::StatusOr<Wakeup> wakeup =
      Guard("listen", [&]() -> absl::StatusOr<Wakeup> {
        Wakeup woken;
        if (state_->session == nullptr) {
          state_->Connect();
          woken.reconnected = true;
          return woken;
        }
        while (!state_->TakeInterrupt()) {
          state_->session->connection().get_notifs();
          if (!state_->received.empty() || absl::Now() >= deadline) break;
          state_->AwaitInput(deadline);
        }
        woken.notifications = std::exchange(state_->received, {});
        return woken;
      });
  if (!wakeup.ok()) {
    state_->Disconnect();
    state_->received.clear();
  }
  return wakeup;
}

void Listener::Interrupt() noexcept {
  const uint64_t one = 1;
  static_cast<void>(!write(state_->interrupt_fd, &one, sizeof(one)));
}

}  // namespace sgl::storage
