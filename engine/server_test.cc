// Proves where a server without TLS may listen, and that what can't be
// listened on is refused in words.

#include "engine/server.h"

#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

TEST(IsLoopbackTest, ThisMachineOnly) {
  for (const char* listen :
       {"127.0.0.1:0", "127.8.8.8:1", "localhost:50051", "[::1]:50051"}) {
    EXPECT_TRUE(IsLoopback(listen)) << listen;
  }
  for (const char* listen : {"0.0.0.0:0", "[::]:1", "10.0.0.7:1", ":1",
                             "localhost.example:1", "*:1"}) {
    EXPECT_FALSE(IsLoopback(listen)) << listen;
  }
}

TEST(CheckServerOptionsTest, RefusesInWords) {
  const struct {
    ServerOptions options;
    absl::StatusCode code;
  } kCases[] = {
      {{.listen = "50051"}, absl::StatusCode::kInvalidArgument},
      {{.listen = "127.0.0.1:http"}, absl::StatusCode::kInvalidArgument},
      {{.listen = "127.0.0.1:65536"}, absl::StatusCode::kInvalidArgument},
      {{.listen = "127.0.0.1:0", .tls_key = "key"},
       absl::StatusCode::kInvalidArgument},
      {{.listen = "127.0.0.1:0", .tls_client_ca = "ca"},
       absl::StatusCode::kInvalidArgument},
      {{.listen = "127.0.0.1:0",
        .tls_certificate = "/nowhere/cert.pem",
        .tls_key = "/nowhere/key.pem"},
       absl::StatusCode::kNotFound},
      {{.listen = "0.0.0.0:0"}, absl::StatusCode::kFailedPrecondition},
      {{.listen = "0.0.0.0:0", .allow_insecure = true}, absl::StatusCode::kOk},
      {{.listen = "127.0.0.1:0"}, absl::StatusCode::kOk},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.options.listen);
    EXPECT_EQ(CheckServerOptions(test.options).code(), test.code);
  }
}

}  // namespace
}  // namespace sgl::engine
