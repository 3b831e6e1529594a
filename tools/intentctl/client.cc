#include "tools/intentctl/client.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/util/json_util.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sgl::tools {
namespace {

// What a server sends at most: a page of 200 intents of 256 KiB each.
constexpr int kMessageBytesMax = 64 << 20;

absl::Status ReadReadyFile(const std::string& path,
                           const std::string& principal,
                           Connection& connection) {
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        "cannot read `", path,
        "`; `intentd dev --ready-file` writes it while it serves"));
  }
  const nlohmann::json ready =
      nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!ready.is_object() || !ready.contains("address") ||
      !ready["address"].is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", path, "` is no ready file of intentd"));
  }
  if (connection.address.empty()) connection.address = ready["address"];
  if (!connection.token.empty()) return absl::OkStatus();
  const nlohmann::json tokens = ready.value("tokens", nlohmann::json::object());
  if (!tokens.contains(principal) || !tokens[principal].is_string()) {
    std::string known;
    for (const auto& item : tokens.items()) {
      absl::StrAppend(&known, known.empty() ? "" : ", ", item.key());
    }
    return absl::InvalidArgumentError(
        absl::StrCat("`", path, "` has no token for `", principal,
                     "`; --as takes one of: ", known));
  }
  connection.token = tokens[principal];
  return absl::OkStatus();
}

const char* CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
      return "the server cannot be reached";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "the token was not accepted";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "not allowed";
    case grpc::StatusCode::NOT_FOUND:
      return "not found";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "the request is wrong";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "no answer in time";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "not possible now";
    case grpc::StatusCode::ABORTED:
      return "somebody was faster";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "exists already";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "the server is busy";
    default:
      return "the call failed";
  }
}

// Reads the PEM file that a flag names. One without a certificate or key must
// not pass for an unset flag.
absl::Status ReadPem(const std::string& path, std::string& text) {
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> read =
      ReadArgument(absl::StrCat("@", path));
  if (!read.ok()) return read.status();
  if (!absl::StrContains(*read, "-----BEGIN ")) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", path, "` is no PEM file: it has no -----BEGIN line"));
  }
  text = *read;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(
    const Client& client) {
  if (!client.tls && client.tls_ca.empty() && client.tls_certificate.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions ssl;
  absl::Status read = ReadPem(client.tls_ca, ssl.pem_root_certs);
  if (read.ok()) read = ReadPem(client.tls_certificate, ssl.pem_cert_chain);
  if (read.ok()) read = ReadPem(client.tls_key, ssl.pem_private_key);
  if (!read.ok()) return read;
  return grpc::SslCredentials(ssl);
}

}  // namespace

void Connection::PrepareStream(grpc::ClientContext& context) const {
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

void Connection::Prepare(grpc::ClientContext& context) const {
  PrepareStream(context);
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(timeout_seconds));
}

void Client::AddFlags(CLI::App& app) {
  app.add_option("--address", address,
                 "HOST:PORT of the server (or INTENT_ADDRESS)")
      ->envname("INTENT_ADDRESS");
  app.add_option("--token", token, "API token (or INTENT_TOKEN)")
      ->envname("INTENT_TOKEN");
  app.add_option("--ready-file", ready_file,
                 "take address and token from the file that `intentd dev "
                 "--ready-file` wrote (or INTENT_READY_FILE)")
      ->envname("INTENT_READY_FILE");
  app.add_option(
      "--as", principal,
      "whose token of the ready file: agent, approver, approver2, "
      "worker, operator, platform (default: the one that the verb needs)");
  app.add_flag("--tls", tls, "speak TLS and trust the system's roots");
  app.add_option("--tls-ca", tls_ca,
                 "speak TLS and trust the roots in this PEM file (or "
                 "INTENT_TLS_CA)")
      ->envname("INTENT_TLS_CA");
  CLI::Option* certificate =
      app.add_option("--tls-cert", tls_certificate,
                     "PEM file of a client certificate (or INTENT_TLS_CERT)");
  CLI::Option* key = app.add_option("--tls-key", tls_key,
                                    "PEM file of its key (or INTENT_TLS_KEY)");
  certificate->envname("INTENT_TLS_CERT")->needs(key);
  key->envname("INTENT_TLS_KEY")->needs(certificate);
  app.add_option("--timeout", timeout_seconds, "seconds a call may take")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_flag("--json", json, "print JSON, one object a line");
}

absl::StatusOr<Connection> Client::Connect() const {
  Connection connection;
  connection.address = address;
  connection.token = token;
  connection.timeout_seconds = timeout_seconds;
  if (!ready_file.empty()) {
    absl::Status read = ReadReadyFile(ready_file, principal, connection);
    if (!read.ok()) return read;
  }
  if (connection.address.empty()) connection.address = "127.0.0.1:50051";
  if (connection.token.empty()) {
    return absl::InvalidArgumentError(
        "no token: give --token, INTENT_TOKEN or --ready-file");
  }
  const absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials =
      CredentialsOf(*this);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  const auto channel =
      grpc::CreateCustomChannel(connection.address, *credentials, arguments);
  connection.intents = intent::v1::IntentService::NewStub(channel);
  connection.decisions = intent::v1::DecisionService::NewStub(channel);
  connection.jobs = intent::v1::JobService::NewStub(channel);
  connection.admin = intent::v1::AdminService::NewStub(channel);
  connection.policies = intent::v1::PolicyService::NewStub(channel);
  connection.audit = intent::v1::AuditService::NewStub(channel);
  connection.reads = intent::v1::ReadService::NewStub(channel);
  return connection;
}

int ReportError(absl::string_view action, const grpc::Status& status) {
  std::cerr << "error: " << action << ": " << CodeName(status.error_code())
            << ": " << status.error_message() << "\n";
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return kExitFailed;
  for (const auto& any : details.details()) {
    google::rpc::BadRequest bad_request;
    google::rpc::ErrorInfo info;
    intent::v1::Diagnostic diagnostic;
    if (any.Is<google::rpc::BadRequest>() && any.UnpackTo(&bad_request)) {
      for (const auto& field : bad_request.field_violations()) {
        std::cerr << "  " << field.field() << ": " << field.description()
                  << "\n";
      }
    } else if (any.Is<google::rpc::ErrorInfo>() && any.UnpackTo(&info)) {
      std::cerr << "  reason: " << info.reason() << "\n";
    } else if (any.Is<intent::v1::Diagnostic>() && any.UnpackTo(&diagnostic)) {
      std::cerr << diagnostic.rendered();
    }
  }
  return kExitFailed;
}

int ReportError(absl::string_view action, const absl::Status& status) {
  std::cerr << "error: " << action << ": " << status.message() << "\n";
  return kExitFailed;
}

void PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options)
           .ok()) {
    text = "{}";
  }
  std::cout << text << "\n";
}

absl::StatusOr<std::string> ReadArgument(const std::string& text) {
  if (text.empty() || text[0] != '@') return text;
  const std::string path = text.substr(1);
  std::ostringstream contents;
  if (path == "-") {
    contents << std::cin.rdbuf();
    return contents.str();
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read `", path, "`"));
  }
  contents << file.rdbuf();
  return contents.str();
}

}  // namespace sgl::tools
