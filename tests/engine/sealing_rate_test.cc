// Answers: does sealing keep up with peak load? Inserts entries as fast as one
// connection can while a sealer runs, and prints the rates of both and how long
// entries waited; then seals a backlog at full speed. Not run by default: its
// figures mean something on a machine that does nothing else.

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "engine/sealer.h"
#include "tests/support/database.h"

namespace sgl::engine {
namespace {

using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::TestDatabase;

constexpr int kBatch = 500;
constexpr absl::Duration kLoad = absl::Seconds(10);

// Entries of the size that a decision's has, in batches as settlements write
// them, of 20 tenants.
std::string Batch(const std::vector<SeededTenant>& tenants, int number) {
  return absl::StrCat(
      "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, meta, "
      "transition_number) SELECT '",
      tenants[static_cast<size_t>(number) % tenants.size()].id,
      "', 'SGL_EVALUATED', 'intent', gen_random_uuid(), jsonb_build_object("
      "'decision', 'ALLOW', 'reasons', '[]'::jsonb, 'facts', repeat('x', 400)),"
      " 2 FROM generate_series(1, ",
      kBatch, ")");
}

TEST(SealingRateTest, KeepsUpWithPeakLoad) {
  const auto database = TestDatabase::Make();
  std::vector<SeededTenant> tenants;
  for (int i = 0; i < 20; ++i) {
    tenants.push_back(database->Seed(absl::StrCat("t", i)));
  }
  SqlConnection& super = database->Super();
  const AuditKey key = AuditKey::Generate();
  const auto insert_for = [&](absl::Duration time) {
    int batches = 0;
    const absl::Time end = absl::Now() + time;
    while (absl::Now() < end) {
      EXPECT_TRUE(super.Run(Batch(tenants, batches++)).ok());
    }
    return batches * kBatch;
  };
  Sealer sealer(&database->runtime(), {.key = key});
  sealer.Start();
  const int inserted = insert_for(kLoad);
  const std::string waiting =
      super.Value("SELECT count(*) FROM audit_unsealed");
  while (super.Value("SELECT count(*) FROM audit_unsealed") != "0") {
  }
  sealer.Stop();
  const std::string lag = super.Value(
      "SELECT round(extract(epoch FROM max(s.sealed_at - a.created_at)), 3) "
      "FROM audit_seals AS s CROSS JOIN unnest(s.entry_ids) AS e (id) "
      "JOIN audit_log AS a ON a.id = e.id WHERE a.action = 'SGL_EVALUATED'");
  std::cout << "under load: " << inserted / absl::ToInt64Seconds(kLoad)
            << " entries/s inserted and sealed at the same time, " << waiting
            << " waiting at the end, longest wait " << lag << " s\n";
  EXPECT_LE(std::stod(lag), 2.0);

  const int backlog = insert_for(kLoad);
  std::cout << "alone: " << backlog / absl::ToInt64Seconds(kLoad)
            << " entries/s inserted\n";
  Sealer later(&database->runtime(), {.key = key});
  const absl::Time start = absl::Now();
  EXPECT_EQ(*later.SealAll(), backlog);
  std::cout << "alone: "
            << static_cast<int>(backlog /
                                absl::ToDoubleSeconds(absl::Now() - start))
            << " entries/s sealed\n";
}

}  // namespace
}  // namespace sgl::engine
