// LISTEN on DIRECT_URL: what wakes an engine before its poll would.
//
// Notifications are hints. Any may be lost (a broken connection, a server
// restart), none carries anything but ids, and the poll finds what they would
// have said. `intent_draft`: rows came in. `intent_settled`: its payload is
// ids of settled intents, comma-separated, or empty when they are too many to
// name. `policy_activated`: another set is active. `job_queued`: a tenant and,
// after a colon, a job type of which a job may be due, or a place free.

#ifndef STORAGE_LISTENER_H_
#define STORAGE_LISTENER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <vector>

namespace sgl::storage {

inline constexpr char kDraftChannel[] = "intent_draft";
inline constexpr char kSettledChannel[] = "intent_settled";
inline constexpr char kPolicyChannel[] = "policy_activated";
inline constexpr char kJobChannel[] = "job_queued";

struct Notification {
  std::string channel;
  std::string payload;

  bool operator==(const Notification&) const = default;
};

struct Wakeup {
  // In the order they came. Empty when the time was up or Interrupt was called.
  std::vector<Notification> notifications;
  // The connection is new since the last Wait (the first one too): what was
  // sent meanwhile is lost, so look at the tables once.
  bool reconnected = false;
};

// Wait is confined to one thread; Interrupt may be called from any.
class Listener {
 public:
  // Checks the URL; connects with the first Wait.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(
      absl::string_view direct_url, std::vector<std::string> channels) noexcept;

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Blocks until something was notified, `timeout` passed or Interrupt was
  // called. Connects again where the connection is gone; UNAVAILABLE where
  // that fails, at once, so the caller paces its own retries.
  absl::StatusOr<Wakeup> Wait(absl::Duration timeout) noexcept;

  // Ends the Wait under way, or else the next one, at once. Thread-safe.
  void Interrupt() noexcept;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace sgl::storage

#endif  // STORAGE_LISTENER_H_
