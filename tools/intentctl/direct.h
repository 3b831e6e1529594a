// What the verbs on DIRECT_URL share: where the database is and a pool of one
// connection to it.

#ifndef TOOLS_INTENTCTL_DIRECT_H_
#define TOOLS_INTENTCTL_DIRECT_H_

#include <absl/status/statusor.h>

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>

#include "storage/database.h"

namespace sgl::tools {

// Adds `--direct-url` (or DIRECT_URL) to a verb.
void AddDirectUrl(CLI::App& verb, std::string& url);

// Runs `body` on the database, through one connection.
absl::Status WithDatabase(
    const std::string& url,
    const std::function<absl::Status(storage::Database&)>& body);

// Runs `body` in one transaction and commits it where it returns OK.
absl::Status InTransaction(
    const std::string& url,
    const std::function<absl::Status(storage::Transaction&)>& body);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_DIRECT_H_
