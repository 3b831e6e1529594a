#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace sgl {

void InitLog(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("intentd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ [%t] %v",
                      spdlog::pattern_time_type::utc);
  spdlog::level::level_enum parsed = spdlog::level::from_str(level);
  // from_str answers "off" for a word it doesn't know.
  if (parsed == spdlog::level::off) parsed = spdlog::level::info;
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace sgl
