// SIGTERM and SIGINT for a server: the first one asks it to drain, the second
// one ends the process at once.
//
//   ShutdownSignals signals;          // Before threads start.
//   ... start the server ...
//   signals.AwaitFirst();
//   ... drain; a second signal meanwhile exits ...

#ifndef ENGINE_SHUTDOWN_SIGNALS_H_
#define ENGINE_SHUTDOWN_SIGNALS_H_

#include <csignal>

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

}  // namespace sgl::engine

#endif  // ENGINE_SHUTDOWN_SIGNALS_H_
