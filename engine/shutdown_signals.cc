#include "engine/shutdown_signals.h"

#include <unistd.h>

#include <thread>

#include "base/check.h"

namespace sgl::engine {
namespace {

// What shells show for a process that a signal ended.
constexpr int kExitBySignal = 130;

}  // namespace

ShutdownSignals::ShutdownSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  SGL_CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals_, nullptr), 0);
}

void ShutdownSignals::AwaitFirst() {
  int number = 0;
  SGL_CHECK_EQ(sigwait(&signals_, &number), 0);
  // Detached: it waits for what may never come, until the process ends.
  std::thread([signals = signals_] {
    int second = 0;
    sigwait(&signals, &second);
    _exit(kExitBySignal);
  }).detach();
}

}  // namespace sgl::engine
