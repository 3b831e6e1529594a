// Proves that refusals reach callers word for word with their details, and
// that nothing of any other status does.

#include "engine/rpc/status.h"

#include <gtest/gtest.h>

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
