// Reads rows of read_facts.sql. Internal to storage/: submissions read facts
// together with more.

#ifndef STORAGE_FACT_COLUMNS_H_
#define STORAGE_FACT_COLUMNS_H_

#include <pqxx/result>
#include <span>

#include "storage/facts.h"
#include "storage/session.h"

namespace sgl::storage {

// Adds what the row says: of an agent, a tenant, a budget, or the time.
void ReadFactRow(const pqxx::row& row, Facts* facts);

// Keys as the two arrays that statements take. Those whose tenant is no UUID
// name no budget and are left out.
ArrayText TenantsOf(std::span<const SpendKey> keys);
ArrayText CategoriesOf(std::span<const SpendKey> keys);

}  // namespace sgl::storage

#endif  // STORAGE_FACT_COLUMNS_H_
