// PgBouncer in transaction mode before the test server: what production has
// between an engine and its database.

#ifndef TESTS_SUPPORT_PGBOUNCER_H_
#define TESTS_SUPPORT_PGBOUNCER_H_

#include <memory>
#include <string>

#include "tests/support/database.h"

namespace sgl::testing {

class PgBouncer {
 public:
  // Starts one that shares `server_connections` among all clients; fails the
  // test binary where it can't.
  static std::unique_ptr<PgBouncer> Start(int server_connections);

  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;
  ~PgBouncer();

  // The folder of its socket; its port is 6432.
  const std::string& folder() const { return folder_; }

  // Returns a URL like Prisma's, as the engine's role.
  std::string RuntimeUrl(const TestDatabase& database) const;

 private:
  explicit PgBouncer(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
};

}  // namespace sgl::testing

#endif  // TESTS_SUPPORT_PGBOUNCER_H_
