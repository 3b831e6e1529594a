// A served engine with two tenants of which each has some of everything, for
// tests of what one can do to the other.

#ifndef TESTS_ENGINE_TWO_TENANTS_H_
#define TESTS_ENGINE_TWO_TENANTS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/engine/served_engine.h"

namespace sgl::testing {

// Who calls: a name for messages, a token, and the kind it is of.
struct CallerKind {
  std::string name;
  std::string token;
  storage::PrincipalKind kind;
};

class TwoTenants {
 public:
  // The first tenant is the served engine's, `acme`.
  TwoTenants();

  ServedEngine& served() { return served_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Of the first tenant, one of each kind, and an operator of the system
  // tenant, last.
  const std::vector<CallerKind>& callers() const { return callers_; }
  const SeededTenant& other() const { return other_; }
  // Tokens that are none: never issued, expired, revoked.
  const std::vector<CallerKind>& refused() const { return refused_; }

  // Every id that a row of the other tenant has, whatever the table.
  std::vector<std::string> ForeignIds();
  // A digest of all rows of the other tenant, in every table.
  std::string ForeignState();
  // In a field of each of the other tenant's intents.
  static constexpr char kSecret[] = "only the other tenant knows";

 private:
  void FillOther();
  // Joins one query a table that has a tenant.
  std::string OverTables(const std::string& select);

  ServedEngine served_;
  std::shared_ptr<grpc::Channel> channel_;
  SeededTenant other_;
  std::vector<CallerKind> callers_;
  std::vector<CallerKind> refused_;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_TWO_TENANTS_H_
