// Proves which texts have a host and which are tricks.

#include "policy/eval/url.h"

#include <absl/strings/ascii.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sgl {
namespace {

TEST(UrlTest, ReadsTheHostOrNothing) {
  const struct {
    const char* url;
    std::optional<std::string> host;
  } kCases[] = {
      {"https://PayPal.com/x", "paypal.com"},
      {"https://paypal.com.", "paypal.com"},
      {"https://paypal.com.:443/", "paypal.com"},
      {"https://paypal.com:443?x=1", "paypal.com"},
      {"https://paypal.com#frag", "paypal.com"},
      {"https://user:secret@paypal.com/", "paypal.com"},
      {"https://google.com@paypal.com/", "paypal.com"},
      {"https://a@b@paypal.com/", "paypal.com"},
      {"https://google.com/@paypal.com", "google.com"},
      {"https://google.com?@paypal.com", "google.com"},
      {"git+ssh://host.example/x", "host.example"},
      {"http://127.0.0.1:80/", "127.0.0.1"},
      {"http://[::1]:80/", "[::1]"},
      {"http://my_host/", "my_host"},
      {"https://x.example/\xc3\xa9", "x.example"},
      {"https://paypal.com..", std::nullopt},
      {"https://paypal..com", std::nullopt},
      {"https://.paypal.com", std::nullopt},
      {"https://", std::nullopt},
      {"https:///paypal.com", std::nullopt},
      {"https://:80/", std::nullopt},
      {"https://user@/", std::nullopt},
      {"https:/paypal.com", std::nullopt},
      {"https:paypal.com", std::nullopt},
      {"//paypal.com", std::nullopt},
      {"://paypal.com", std::nullopt},
      {"paypal.com", std::nullopt},
      {"1http://paypal.com", std::nullopt},
      {"javascript:alert(1)", std::nullopt},
      {"https:\\\\paypal.com", std::nullopt},
      {"https://google.com\\@paypal.com", std::nullopt},
      {"https://google.com/a\\b", std::nullopt},
      {" https://google.com", std::nullopt},
      {"https://google.com/a b", std::nullopt},
      {"https://goo\tgle.com", std::nullopt},
      {"https://google.com/\x7f", std::nullopt},
      {"https://paypal%2ecom/", std::nullopt},
      {"https://p\xc3\xa4ypal.com/", std::nullopt},
      {"https://paypal.com:x/", std::nullopt},
      {"http://[::1/", std::nullopt},
      {"http://[::1]x/", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.url);
    const std::optional<absl::string_view> host = UrlHost(test.url);
    ASSERT_EQ(host.has_value(), test.host.has_value());
    if (host.has_value()) {
      EXPECT_EQ(absl::AsciiStrToLower(*host), *test.host);
    }
  }
}

}  // namespace
}  // namespace sgl
