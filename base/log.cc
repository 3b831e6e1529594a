#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <ctime>
#include <memory>
#include <utility>

namespace sgl {
namespace {

// The message with control characters spelled out: a line is one event, and
// nothing that a caller sent makes another, or drives a terminal.
class OneLine final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    constexpr char kHex[] = "0123456789abcdef";
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      // Of two bytes and more all are 0x80 and above: those stay.
      if (byte >= 0x20 && byte != 0x7f) {
        out.push_back(c);
        continue;
      }
      if (c == '\n') {
        out.push_back('\\');
        out.push_back('n');
        continue;
      }
      for (const char escaped : {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]}) {
        out.push_back(escaped);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<OneLine>();
  }
};

}  // namespace

void InitLog(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("intentd");
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
  formatter->add_flag<OneLine>('*').set_pattern(
      "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ [%t] %*");
  logger->set_formatter(std::move(formatter));
  spdlog::level::level_enum parsed = spdlog::level::from_str(level);
  // from_str answers "off" for a word it doesn't know.
  if (parsed == spdlog::level::off) parsed = spdlog::level::info;
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace sgl
