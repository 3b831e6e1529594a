// Matchers for absl::Status and StatusOr, which this abseil doesn't have.
//
//   EXPECT_THAT(GetIntent(tx, id), IsOk());
//   EXPECT_THAT(tx.Commit(), StatusIs(absl::StatusCode::kAborted));

#ifndef TESTS_SUPPORT_STATUS_MATCHERS_H_
#define TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <gmock/gmock.h>

#include <string>

namespace sgl::testing {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}

template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << "whose status is " << StatusOf(arg);
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code,
          std::string("has the code ") + absl::StatusCodeToString(code)) {
  *result_listener << "whose status is " << StatusOf(arg);
  return StatusOf(arg).code() == code;
}

}  // namespace sgl::testing

#endif  // TESTS_SUPPORT_STATUS_MATCHERS_H_
