#include "engine/rpc/status.h"

#include <absl/strings/ascii.h>
#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>

#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engine/error.h"
#include "engine/text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sgl::engine {
namespace {

// A caller that waits this long finds the queue drained, or the database
// back after a failover's first moment.
constexpr int kRetryNanos = 200'000'000;
constexpr int kRetryUnavailableSeconds = 1;

// Clients take 8 KiB of trailers by default. The message is in there twice: as
// it is, with each byte but plain ASCII as three, and in the details,
// which are sent in base64 and may hold ten fields beside it.
constexpr size_t kMessageCostMax = 1600;

constexpr absl::string_view kDetailsUrl = "intent-engine/details";

// What a status that is not for callers says to them.
struct Answer {
  absl::StatusCode code;
  absl::string_view reason;
  absl::string_view message;
};

Answer AnswerOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return {code, "DATABASE_UNAVAILABLE",
              "the database can't be reached; try again"};
    case absl::StatusCode::kResourceExhausted:
      return {code, "OVERLOADED", "the engine is overloaded; try again"};
    case absl::StatusCode::kDeadlineExceeded:
      return {code, "DEADLINE_EXCEEDED",
              "the call took longer than it was given"};
    case absl::StatusCode::kCancelled:
      return {code, "CALL_CANCELED", "the caller canceled the call"};
    case absl::StatusCode::kAborted:
      return {code, "CONFLICT",
              "another transaction changed the same rows; try again"};
    case absl::StatusCode::kUnknown:
      return {code, "COMMIT_IN_DOUBT",
              "the connection broke during the commit, which may have "
              "happened; read again, or repeat with the same request_id"};
    default:
      return {absl::StatusCode::kInternal, "INTERNAL",
              "the engine failed; its log says how"};
  }
}

// Cuts a message to what there is room for.
std::string Bounded(std::string message) {
  size_t cost = 0;
  size_t end = 0;
  while (end < message.size() && cost < kMessageCostMax) {
    const char byte = message[end];
    const bool is_plain =
        absl::ascii_isprint(static_cast<unsigned char>(byte)) && byte != '%';
    cost += is_plain ? 1 : 3;
    ++end;
  }
  if (end == message.size()) return message;
  return absl::StrCat(Cut(message, end), "...");
}

void AddRetryInfo(absl::StatusCode code, google::rpc::Status* details) {
  google::rpc::RetryInfo retry;
  if (code == absl::StatusCode::kUnavailable) {
    retry.mutable_retry_delay()->set_seconds(kRetryUnavailableSeconds);
  } else if (code == absl::StatusCode::kResourceExhausted) {
    retry.mutable_retry_delay()->set_nanos(kRetryNanos);
  } else {
    return;
  }
  details->add_details()->PackFrom(retry);
}

void AddBadRequest(const absl::Status& status, google::rpc::Status* details) {
  const std::vector<FieldError> fields = FieldErrorsOf(status);
  if (fields.empty()) return;
  google::rpc::BadRequest bad;
  for (const FieldError& field : fields) {
    auto* violation = bad.add_field_violations();
    violation->set_field(field.field);
    violation->set_description(field.description);
  }
  details->add_details()->PackFrom(bad);
}

void AddDetails(const absl::Status& status, google::rpc::Status* details) {
  const auto packed = status.GetPayload(kDetailsUrl);
  google::rpc::Status more;
  if (!packed.has_value() || !more.ParseFromString(std::string(*packed))) {
    return;
  }
  details->mutable_details()->MergeFrom(more.details());
}

}  // namespace

PublicStatus ToPublicStatus(const absl::Status& status,
                            absl::string_view method) {
  if (status.ok()) return {};
  std::string reason = ReasonOf(status);
  if (!reason.empty()) {
    return {status.code(), std::move(reason),
            Bounded(std::string(status.message()))};
  }
  // A caller that left or came late is no news; many do in an outage.
  if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) {
    LogDebug("{}: {}", std::string(method), status.ToString());
  } else {
    LogWarn("{}: {}", std::string(method), status.ToString());
  }
  const Answer answer = AnswerOf(status.code());
  return {answer.code, std::string(answer.reason), std::string(answer.message)};
}

absl::Status WithDetails(absl::Status status,
                         const std::vector<google::protobuf::Any>& details) {
  google::rpc::Status packed;
  for (const google::protobuf::Any& detail : details) {
    *packed.add_details() = detail;
  }
  status.SetPayload(kDetailsUrl, absl::Cord(packed.SerializeAsString()));
  return status;
}

grpc::Status ToGrpcStatus(const absl::Status& status,
                          absl::string_view method) {
  if (status.ok()) return grpc::Status::OK;
  const auto [code, reason, message] = ToPublicStatus(status, method);
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(std::string(kErrorDomain));
  details.add_details()->PackFrom(info);
  AddBadRequest(status, &details);
  AddDetails(status, &details);
  AddRetryInfo(code, &details);
  return grpc::Status(static_cast<grpc::StatusCode>(code), message,
                      details.SerializeAsString());
}

}  // namespace sgl::engine
