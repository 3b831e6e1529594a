#include "policy/eval/url.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>

namespace sgl {
namespace {

bool IsTrick(char c) {
  return c == '\\' || c == ' ' || c == '\x7f' ||
         static_cast<unsigned char>(c) < 0x20;
}

bool IsScheme(absl::string_view text) {
  return !text.empty() && absl::ascii_isalpha(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
         });
}

// RFC 3986 `reg-name`, without percent-encoding.
bool IsHostName(absl::string_view text) {
  constexpr absl::string_view kMarks = "-._~!$&'()*+,;=";
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (absl::StrContains(text, "..")) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains(kMarks, c);
  });
}

// What may stand between the brackets of an IPv6 address.
bool IsAddress(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isxdigit(c) || c == ':' || c == '.';
  });
}

bool IsPort(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

std::optional<absl::string_view> UrlHost(absl::string_view url) {
  if (std::any_of(url.begin(), url.end(), IsTrick)) return std::nullopt;
  const size_t colon = url.find("://");
  if (colon == absl::string_view::npos || !IsScheme(url.substr(0, colon))) {
    return std::nullopt;
  }
  absl::string_view authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  // As browsers do: all up to the last `@` is userinfo.
  const size_t at = authority.rfind('@');
  if (at != absl::string_view::npos) authority.remove_prefix(at + 1);

  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == absl::string_view::npos) return std::nullopt;
    const absl::string_view rest = authority.substr(close + 1);
    if (!IsAddress(authority.substr(1, close - 1))) return std::nullopt;
    if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) {
      return std::nullopt;
    }
    return authority.substr(0, close + 1);
  }
  const size_t port = authority.find(':');
  absl::string_view host = authority.substr(0, port);
  if (port != absl::string_view::npos && !IsPort(authority.substr(port + 1))) {
    return std::nullopt;
  }
  if (absl::EndsWith(host, ".")) host.remove_suffix(1);
  if (!IsHostName(host)) return std::nullopt;
  return host;
}

}  // namespace sgl
