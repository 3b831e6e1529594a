#include "engine/server.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/rpc/admission.h"
#include "engine/rpc/call.h"
#include "engine/rpc/decision_service.h"
#include "engine/rpc/intent_service.h"
#include "engine/work_pool.h"

namespace sgl::engine {
namespace {

// Above the 16 MiB that a call may hold, so that what is somewhat too large
// gets our answer, which names the limit, and not the transport's.
constexpr int kMessageBytesMax = 24 * 1024 * 1024;
// All messages in flight together.
constexpr size_t kMemoryMax = size_t{512} * 1024 * 1024;

// Splits at the last colon; the host keeps its brackets.
std::pair<absl::string_view, absl::string_view> HostAndPort(
    absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  if (colon == absl::string_view::npos) return {listen, ""};
  return {listen.substr(0, colon), listen.substr(colon + 1)};
}

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(
    const ServerOptions& options) {
  if (options.tls_certificate.empty()) {
    return grpc::InsecureServerCredentials();
  }
  grpc::SslServerCredentialsOptions ssl(
      options.tls_client_ca.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_key_cert_pairs.push_back({options.tls_key, options.tls_certificate});
  ssl.pem_root_certs = options.tls_client_ca;
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

absl::Status CheckServerOptions(const ServerOptions& options) {
  const auto [host, port] = HostAndPort(options.listen);
  int number = -1;
  if (host.empty() || !absl::SimpleAtoi(port, &number) || number < 0 ||
      number > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", options.listen,
                     "` is no address to listen on; write host:port, such as "
                     "127.0.0.1:50051"));
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "TLS needs both a certificate and its key");
  }
  if (!options.tls_client_ca.empty() && options.tls_certificate.empty()) {
    return absl::InvalidArgumentError(
        "client certificates need TLS: give a certificate and its key");
  }
  if (options.tls_certificate.empty() && !options.allow_insecure &&
      !IsLoopback(options.listen)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "without TLS the server listens on loopback only, not on ",
        options.listen,
        "; give --tls-cert and --tls-key, or --insecure-listen-any where "
        "something else guards the network"));
  }
  return absl::OkStatus();
}

bool IsLoopback(absl::string_view listen) {
  const absl::string_view host = HostAndPort(listen).first;
  // A name such as 127.example.com may be anywhere.
  const bool is_ipv4 =
      host.find_first_not_of("0123456789.") == absl::string_view::npos;
  return host == "localhost" || host == "[::1]" ||
         (is_ipv4 && absl::StartsWith(host, "127."));
}

// In the order of dependence: what stands above outlives what stands below.
struct Server::Parts {
  Parts(Engine* engine_in, const ServerOptions& options)
      : engine(engine_in),
        admission(&engine->db(),
                  {.calls_per_second = options.calls_per_second,
                   .calls_burst = std::max(1.0, 2 * options.calls_per_second),
                   .now = options.now}),
        pool({.threads = options.threads}),
        calls(&admission, &pool, &engine->waiters()),
        intents(&calls, &engine->db(), &engine->intake(), &engine->approvals()),
        decisions(&calls, &engine->db(), &engine->approvals()) {}

  Engine* const engine;
  Admission admission;
  WorkPool pool;
  Calls calls;
  IntentService intents;
  DecisionService decisions;
  std::unique_ptr<grpc::Server> grpc;
  std::string address;
  bool is_drained = false;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    Engine* engine, const ServerOptions& options) {
  const absl::Status checked = CheckServerOptions(options);
  if (!checked.ok()) return checked;
  auto parts = std::make_unique<Parts>(engine, options);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  grpc::ResourceQuota quota("intentd");
  quota.Resize(kMemoryMax);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  // A second server on a taken port must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(options.listen, CredentialsOf(options), &port);
  builder.RegisterService(&parts->intents);
  builder.RegisterService(&parts->decisions);
  parts->grpc = builder.BuildAndStart();
  if (parts->grpc == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(
        "can't listen on ", options.listen,
        ": the port is taken or the address is not this machine's, or the TLS "
        "files can't be used; try another --listen or --port"));
  }
  parts->address = absl::StrCat(HostAndPort(options.listen).first, ":", port);
  for (const char* service :
       {"", intent::v1::IntentService::service_full_name(),
        intent::v1::DecisionService::service_full_name()}) {
    parts->grpc->GetHealthCheckService()->SetServingStatus(service, true);
  }
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Drain(absl::ZeroDuration()); }

const std::string& Server::address() const { return parts_->address; }

void Server::Drain(absl::Duration grace) {
  if (parts_->is_drained) return;
  parts_->is_drained = true;
  parts_->grpc->GetHealthCheckService()->SetServingStatus(false);
  parts_->admission.Flush();
  // Waits end here, so no call is left that only a worker could end.
  parts_->engine->Stop();
  parts_->grpc->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  parts_->grpc->Wait();
  parts_->pool.Stop();
}

}  // namespace sgl::engine
