// Reads rows of read_facts.sql. Internal to storage/: submissions read facts
// together with more.

#ifndef STORAGE_FACT_COLUMNS_H_
#define STORAGE_FACT_COLUMNS_H_

#include <pqxx/result>

#include "storage/facts.h"

namespace sgl::storage {

// Adds what the row says: of an agent, a tenant, or the time.
void ReadFactRow(const pqxx::row& row, Facts* facts);

}  // namespace sgl::storage

#endif  // STORAGE_FACT_COLUMNS_H_
