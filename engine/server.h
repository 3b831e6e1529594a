// The gRPC server: services, health, reflection, drain.
//
//   absl::StatusOr<std::unique_ptr<Server>> server =
//       Server::Start(&engine, {.listen = "127.0.0.1:7443"});
//   ...
//   (*server)->Drain(absl::Seconds(20));

#ifndef ENGINE_SERVER_H_
#define ENGINE_SERVER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace sgl::engine {

struct ServerOptions {
  // `host:port`; port 0 takes a free one. IPv6 hosts in brackets.
  std::string listen = "127.0.0.1:50051";
  // PEM files, read again when they change (tls_files.h). Both empty: no TLS.
  std::string tls_certificate = {};
  std::string tls_key = {};
  // PEM file; clients without a certificate of it are refused. Empty: none is
  // asked for.
  std::string tls_client_ca = {};
  // Lets a server without TLS listen on other addresses than loopback.
  bool allow_insecure = false;
  // Threads that calls run on.
  int threads = 8;
  // Calls a second of one principal, twice as many at once; 0: no limit.
  double calls_per_second = 0;
  // What expiries of tokens and rates are reckoned by; tests replace it.
  std::function<absl::Time()> now = absl::Now;
};

// Thread-safe. Borrows the engine, which outlives it.
class Server {
 public:
  // Binds and serves. INVALID_ARGUMENT: an address that can't be read, or TLS
  // files that can't serve; NOT_FOUND: they aren't there. FAILED_PRECONDITION:
  // no loopback address without TLS. UNAVAILABLE: the port is taken.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      Engine* engine, const ServerOptions& options);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Drains without grace.
  ~Server();

  // Returns `host:port` as clients reach it.
  const std::string& address() const;

  // Stops in order: health says NOT_SERVING, waits end with UNAVAILABLE, the
  // engine claims nothing more, no call is taken any more, those under way
  // finish within `grace` (then they are cut off). Also stops the engine.
  // Calling it again does nothing.
  void Drain(absl::Duration grace);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// Returns why a server can't listen as these options say; OK where it can, as
// far as they tell.
absl::Status CheckServerOptions(const ServerOptions& options);

// Returns whether the host of `host:port` is this machine's loopback: 127/8,
// [::1] or localhost.
bool IsLoopback(absl::string_view listen);

}  // namespace sgl::engine

#endif  // ENGINE_SERVER_H_
