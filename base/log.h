// The log of a running server: one line an event, on stderr, through spdlog.
//
//   LogInfo("serving on {}", address);
//
// Thread-safe. Lines carry UTC time with milliseconds, level and thread.
// Never log a token, a payload or SQL text: operators read logs, and logs
// travel further than the database does.

#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <spdlog/spdlog.h>

#include <string>

namespace sgl {

// Sets the process's log up. Called once, at the top of main, before threads
// start. `level` is one of debug, info, warn, error; anything else means info.
void InitLog(const std::string& level);

template <typename... Args>
void LogDebug(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::debug(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogInfo(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::info(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarn(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::warn(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogError(spdlog::format_string_t<Args...> format, Args&&... args) {
  spdlog::error(format, std::forward<Args>(args)...);
}

}  // namespace sgl

#endif  // BASE_LOG_H_
