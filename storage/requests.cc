#include "storage/requests.h"

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {

absl::StatusOr<int64_t> ForgetRequests(Transaction& tx, int limit) noexcept {
  return Guard("forget request ids", [&]() -> absl::StatusOr<int64_t> {
    RowReader reader(OpenSession(tx).ExecOne(kForgetRequestsSql,
                                             Args().Int(limit), "count"));
    return reader.Int();
  });
}

}  // namespace sgl::storage
