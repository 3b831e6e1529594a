// SIGTERM and SIGINT for a server: the first one asks it to drain, the second
// one ends the process at once.
//
//   ShutdownSignals signals;          // Before threads start.
//   ... start the server ...
//   signals.AwaitFirst();
//   ExitDeadline deadline(grace);
//   ... drain; a second signal meanwhile exits, and so does the deadline ...

#ifndef ENGINE_SHUTDOWN_SIGNALS_H_
#define ENGINE_SHUTDOWN_SIGNALS_H_

#include <absl/synchronization/notification.h>
#include <absl/time/time.h>

#include <csignal>
#include <thread>

namespace sgl::engine {

// One a process. Threads and children that are started after it inherit the
// blocked signals, so start children that must not before.
class ShutdownSignals {
 public:
  // Blocks both in this thread.
  ShutdownSignals();
  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

  // Returns when the first came. From then on another one ends the process
  // with exit status 130.
  void AwaitFirst();

 private:
  sigset_t signals_;
};

// Ends the process, with exit status 1, where it lives longer than `limit`:
// what a drain waits for may be a database that neither answers nor breaks,
// against which no timeout of a statement helps. What was not committed,
// PostgreSQL rolls back.
class ExitDeadline {
 public:
  explicit ExitDeadline(absl::Duration limit);
  ExitDeadline(const ExitDeadline&) = delete;
  ExitDeadline& operator=(const ExitDeadline&) = delete;
  // The process may go on.
  ~ExitDeadline();

 private:
  absl::Notification is_over_;
  std::jthread thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_SHUTDOWN_SIGNALS_H_
