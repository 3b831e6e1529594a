// How intentctl reaches a server: address and token from flags, environment
// or the file that `intentd dev --ready-file` writes; one channel; errors told
// in words.
//
//   Client client;                     // filled by flags
//   auto connection = client.Connect();
//   grpc::ClientContext context;
//   connection->Prepare(context);
//   grpc::Status status = connection->intents->GetIntent(&context, ...);
//   if (!status.ok()) return ReportError("get intent", status);

#ifndef TOOLS_INTENTCTL_CLIENT_H_
#define TOOLS_INTENTCTL_CLIENT_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

#include <CLI/App.hpp>
#include <memory>
#include <optional>
#include <string>

#include "intent/v1/admin_service.grpc.pb.h"
#include "intent/v1/audit_service.grpc.pb.h"
#include "intent/v1/decision_service.grpc.pb.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "intent/v1/job_service.grpc.pb.h"
#include "intent/v1/policy_service.grpc.pb.h"
#include "intent/v1/read_service.grpc.pb.h"

namespace sgl::tools {

// Exit statuses of every verb.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// An open channel and its stubs. Confined to the main thread.
struct Connection {
  std::string address;
  std::string token;
  int timeout_seconds = 30;
  std::unique_ptr<intent::v1::IntentService::Stub> intents;
  std::unique_ptr<intent::v1::DecisionService::Stub> decisions;
  std::unique_ptr<intent::v1::JobService::Stub> jobs;
  std::unique_ptr<intent::v1::AdminService::Stub> admin;
  std::unique_ptr<intent::v1::PolicyService::Stub> policies;
  std::unique_ptr<intent::v1::AuditService::Stub> audit;
  std::unique_ptr<intent::v1::ReadService::Stub> reads;

  // Sets the token and the deadline on a call.
  void Prepare(grpc::ClientContext& context) const;
  // The same for a stream, which has no deadline.
  void PrepareStream(grpc::ClientContext& context) const;
};

// Where the server is and who calls. Filled by the flags that AddFlags adds.
struct Client {
  std::string address;
  std::string token;
  std::string ready_file;
  std::string principal;
  // TLS is used where any of these is set. PEM files; without `tls_ca` the
  // system's own roots are trusted.
  bool tls = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  int timeout_seconds = 30;
  bool json = false;

  void AddFlags(CLI::App& app);

  // Makes the channel. Connects on the first call only. Fails where no
  // address or token is known or a file that a flag names can't be read.
  absl::StatusOr<Connection> Connect() const;
};

// Prints what went wrong with `action`, the server's reason and the fields
// that it names, to stderr. Returns kExitFailed.
int ReportError(absl::string_view action, const grpc::Status& status);
int ReportError(absl::string_view action, const absl::Status& status);

// Prints `message` as one line of JSON to stdout.
void PrintJson(const google::protobuf::Message& message);

// Returns `text` itself, the contents of FILE for `@FILE`, or stdin for `@-`.
absl::StatusOr<std::string> ReadArgument(const std::string& text);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_CLIENT_H_
