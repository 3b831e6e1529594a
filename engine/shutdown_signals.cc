#include "engine/shutdown_signals.h"

#include <unistd.h>

#include <thread>

#include "base/check.h"
#include "base/log.h"

namespace sgl::engine {
namespace {

// What shells show for a process that a signal ended.
constexpr int kExitBySignal = 130;
constexpr int kExitByDeadline = 1;

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

ExitDeadline::ExitDeadline(absl::Duration limit)
    : thread_([this, limit] {
        if (is_over_.WaitForNotificationWithTimeout(limit)) return;
        LogError("the drain took longer than its {}; ending without it",
                 absl::FormatDuration(limit));
        _exit(kExitByDeadline);
      }) {}

ExitDeadline::~ExitDeadline() { is_over_.Notify(); }

}  // namespace sgl::engine
