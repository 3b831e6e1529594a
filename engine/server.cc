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
#include "engine/rpc/admin_service.h"
#include "engine/rpc/admission.h"
#include "engine/rpc/audit_service.h"
#include "engine/rpc/call.h"
#include "engine/rpc/decision_service.h"
#include "engine/rpc/intent_service.h"
#include "engine/rpc/job_service.h"
#include "engine/rpc/policy_service.h"
#include "engine/rpc/read_service.h"
#include "engine/rpc/tls_credentials.h"
#include "engine/tls_files.h"
#include "engine/work_pool.h"

namespace sgl::engine {
namespace {

// Above the 16 MiB that a call may hold, so that what is somewhat too large
// gets our answer, which names the limit, and not the transport's.
constexpr int kMessageBytesMax = 24 * 1024 * 1024;
// All messages in flight together.
constexpr size_t kMemoryMax = size_t{512} * 1024 * 1024;
// A handshake takes a few round trips.
constexpr absl::Duration kHandshakeMax = absl::Seconds(20);
// Finds clients that are gone without a word within 50 s.
constexpr absl::Duration kKeepaliveEvery = absl::Seconds(30);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
// gRPC clients connect again by themselves.
constexpr absl::Duration kIdleMax = absl::Minutes(10);
// Calls at once on one connection: more than any agent waits for, and less
// than what would starve other connections.
constexpr int kStreamsMax = 10'000;

// Splits at the last colon; the host keeps its brackets.
std::pair<absl::string_view, absl::string_view> HostAndPort(
    absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  if (colon == absl::string_view::npos) return {listen, ""};
  return {listen.substr(0, colon), listen.substr(colon + 1)};
}

absl::StatusOr<std::unique_ptr<TlsFiles>> OpenTls(
    const ServerOptions& options) {
  return TlsFiles::Open({.certificate = options.tls_certificate,
                         .key = options.tls_key,
                         .client_ca = options.tls_client_ca,
                         .now = options.now});
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(
    const ServerOptions& options) {
  if (options.tls_certificate.empty()) {
    return grpc::InsecureServerCredentials();
  }
  absl::StatusOr<std::unique_ptr<TlsFiles>> files = OpenTls(options);
  if (!files.ok()) return files.status();
  return TlsCredentials(*std::move(files));
}

// Bounds what callers hold without saying anything: a connection that never
// gets through its handshake, one whose other end is gone, one nobody uses.
void BoundConnections(grpc::ServerBuilder& builder) {
  const auto set = [&builder](const char* name, absl::Duration value) {
    builder.AddChannelArgument(
        name, static_cast<int>(absl::ToInt64Milliseconds(value)));
  };
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMax);
  set(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveEvery);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeout);
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax);
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
  return options.tls_certificate.empty() ? absl::OkStatus()
                                         : OpenTls(options).status();
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
        calls(&admission, &pool, &engine->waiters(), &engine->watches(),
              &engine->lease_waits()),
        intents(&calls, &engine->db(), &engine->intake(), &engine->approvals()),
        decisions(&calls, &engine->db(), &engine->approvals(),
                  &engine->memo_edits(), &engine->delegations()),
        jobs(&calls, &engine->db(), &engine->jobs()),
        admin(&calls, &engine->db()),
        policies(&calls, &engine->policy_versions(), &engine->replays(),
                 &engine->policy_replays()),
        audit(&calls, &engine->db()),
        reads(&calls, &engine->db()) {}

  Engine* const engine;
  // gRPC asks it for certificates for as long as it serves.
  std::shared_ptr<grpc::ServerCredentials> credentials;
  Admission admission;
  WorkPool pool;
  Calls calls;
  IntentService intents;
  DecisionService decisions;
  JobService jobs;
  AdminService admin;
  PolicyService policies;
  AuditService audit;
  ReadService reads;
  std::unique_ptr<grpc::Server> grpc;
  std::string address;
  bool is_drained = false;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    Engine* engine, const ServerOptions& options) {
  const absl::Status checked = CheckServerOptions(options);
  if (!checked.ok()) return checked;
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials =
      CredentialsOf(options);
  if (!credentials.ok()) return credentials.status();
  auto parts = std::make_unique<Parts>(engine, options);
  parts->credentials = *std::move(credentials);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  grpc::ResourceQuota quota("intentd");
  quota.Resize(kMemoryMax);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  BoundConnections(builder);
  // A second server on a taken port must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(options.listen, parts->credentials, &port);
  builder.RegisterService(&parts->intents);
  builder.RegisterService(&parts->decisions);
  builder.RegisterService(&parts->jobs);
  builder.RegisterService(&parts->admin);
  builder.RegisterService(&parts->policies);
  builder.RegisterService(&parts->audit);
  builder.RegisterService(&parts->reads);
  parts->grpc = builder.BuildAndStart();
  if (parts->grpc == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(
        "can't listen on ", options.listen,
        ": the port is taken or the address is not this machine's; try "
        "another --listen or --port"));
  }
  parts->address = absl::StrCat(HostAndPort(options.listen).first, ":", port);
  for (const char* service :
       {"", intent::v1::IntentService::service_full_name(),
        intent::v1::DecisionService::service_full_name(),
        intent::v1::JobService::service_full_name(),
        intent::v1::AdminService::service_full_name(),
        intent::v1::PolicyService::service_full_name(),
        intent::v1::AuditService::service_full_name(),
        intent::v1::ReadService::service_full_name()}) {
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
