// Proves that refusals reach callers word for word with their details, and
// that nothing of any other status does.

#include "engine/rpc/status.h"

#include <absl/strings/match.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sgl::engine {
namespace {

// Returns the detail of this type; an empty one where there is none.
template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return Detail();
}

TEST(ToGrpcStatusTest, RefusalGoesOutWordForWord) {
  const grpc::Status status = ToGrpcStatus(
      Refusal(absl::StatusCode::kAborted, "STALE_REVISION", "read it again"),
      "Approve");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(status.error_message(), "read it again");
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "STALE_REVISION");
  EXPECT_EQ(info.domain(), "intent-engine");
}

TEST(ToGrpcStatusTest, BadFieldsAreNamed) {
  const grpc::Status status =
      ToGrpcStatus(BadFields({{"request_id", "a UUID is required"},
                              {"payload", "it is no JSON object"}}),
                   "Submit");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "`request_id`: a UUID is required; `payload`: it is no JSON "
            "object");
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(1).field(), "payload");
  EXPECT_EQ(bad.field_violations(1).description(), "it is no JSON object");
}

// 8 KiB, less what gRPC adds itself.
constexpr size_t kTrailerMax = 7900;

// What a trailer takes on the wire: the message with all but printable ASCII
// as %XX, the details in base64.
size_t TrailerBytes(const grpc::Status& status) {
  size_t bytes = 4 * (status.error_details().size() + 2) / 3;
  for (const char byte : status.error_message()) {
    bytes += byte >= ' ' && byte <= '~' && byte != '%' ? 1 : 3;
  }
  return bytes;
}

TEST(ToGrpcStatusTest, FieldsFitATrailer) {
  // Three bytes a character.
  std::string longest;
  while (longest.size() < 1000) longest += "\u20ac";
  for (const std::string& text : {std::string(1000, 'x'), longest}) {
    const grpc::Status status =
        ToGrpcStatus(BadFields(std::vector<FieldError>(5000, {text, text})),
                     "CreateDelegation");
    EXPECT_LT(TrailerBytes(status), kTrailerMax);
    const auto bad = DetailOf<google::rpc::BadRequest>(status);
    ASSERT_EQ(bad.field_violations_size(), 10);
    // Whole characters, or the message would not be valid.
    EXPECT_EQ(bad.field_violations(9).field(),
              text.substr(0, text[0] == 'x' ? 80 : 78));
    EXPECT_EQ(bad.field_violations(9).description(),
              text.substr(0, text[0] == 'x' ? 200 : 198));
  }
  const grpc::Status few = ToGrpcStatus(
      BadFields(std::vector<FieldError>(13, {"roles", "it is empty"})),
      "CreateDelegation");
  EXPECT_TRUE(
      absl::EndsWith(few.error_message(), "; `roles`: it is empty; and 3 more"))
      << few.error_message();
}

TEST(ToGrpcStatusTest, AnyMessageFitsATrailer) {
  const grpc::Status status =
      ToGrpcStatus(Refusal(absl::StatusCode::kFailedPrecondition,
                           "POLICY_REFUSED", std::string(100'000, '%')),
                   "ActivatePolicy");
  EXPECT_LT(TrailerBytes(status), kTrailerMax);
  EXPECT_TRUE(absl::EndsWith(status.error_message(), "%..."));
}

TEST(ToGrpcStatusTest, InternalsDoNotLeak) {
  const grpc::Status status = ToGrpcStatus(
      absl::InternalError("relation intents does not exist (42P01)"), "Get");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "the engine failed; its log says how");
  EXPECT_EQ(status.error_details().find("intents"), std::string::npos);
}

TEST(ToGrpcStatusTest, UnavailableSaysWhenToRetry) {
  const grpc::Status status = ToGrpcStatus(
      absl::UnavailableError("connect to 10.0.0.7: refused"), "Get");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the database can't be reached; try again");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).retry_delay().seconds(),
            1);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(),
            "DATABASE_UNAVAILABLE");
}

}  // namespace
}  // namespace sgl::engine
