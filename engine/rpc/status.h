// From our statuses to gRPC's, with google.rpc details. Internal to
// engine/rpc.
//
// Refusals (engine/error.h) go out word for word. Everything else is answered
// by its code, in words of this file's, and logged: SQL, paths and addresses
// never leave the process.

#ifndef ENGINE_RPC_STATUS_H_
#define ENGINE_RPC_STATUS_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/any.pb.h>
#include <grpcpp/support/status.h>

#include <string>
#include <vector>

namespace sgl::engine {

// Domain of every ErrorInfo.
inline constexpr absl::string_view kErrorDomain = "intent-engine";

// What a caller may see of a status.
struct PublicStatus {
  absl::StatusCode code = absl::StatusCode::kOk;
  // Of the ErrorInfo. Empty for OK.
  std::string reason = {};
  std::string message = {};
};

// Returns what the caller of `method` may see, and logs what they may not.
PublicStatus ToPublicStatus(const absl::Status& status,
                            absl::string_view method);
// Returns the status with further details for the caller, after ErrorInfo.
// Their bytes travel in a trailer, which clients bound at 8 KiB in all: keep
// them below kDetailBytesMax.
inline constexpr size_t kDetailBytesMax = 4096;
absl::Status WithDetails(absl::Status status,
                         const std::vector<google::protobuf::Any>& details);

// Returns what the caller of `method` gets for `status`: its code, a message,
// and details: ErrorInfo always, BadRequest for bad fields, RetryInfo for
// UNAVAILABLE and RESOURCE_EXHAUSTED.
grpc::Status ToGrpcStatus(const absl::Status& status, absl::string_view method);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_STATUS_H_
