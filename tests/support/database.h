// A real PostgreSQL for tests: one private server a test binary, a fresh
// database a test.
//
//   std::unique_ptr<TestDatabase> database = TestDatabase::Make();
//   Database& db = database->runtime();        // what an engine logs in as
//   SeededTenant acme = database->Seed("acme");
//   database->Owner().Run("INSERT INTO intents ...");
//
// The server starts with the first Make and ends with the process. A template
// is deployed once; each Make copies it (85 ms). The roles are those of a
// careful production: `intent_owner` owns the database and its tables and is no
// superuser; `intent_login` is only a member of intent_runtime.
//
// Tests that use it need tags = ["local", "postgres"].

#ifndef TESTS_SUPPORT_DATABASE_H_
#define TESTS_SUPPORT_DATABASE_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::testing {

// What came of one statement.
struct SqlResult {
  // Empty where it succeeded.
  std::string sqlstate;
  std::string error;
  // Nulls are empty.
  std::vector<std::vector<std::string>> rows;

  bool ok() const { return sqlstate.empty(); }
};

// A plain connection, for what a test does behind the storage layer's back.
// Confined to one thread.
class SqlConnection {
 public:
  // Aborts the test binary where it can't connect.
  explicit SqlConnection(const std::string& url);
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;
  ~SqlConnection();

  // Runs one statement or several; answers the last one's outcome.
  SqlResult Run(const std::string& sql);
  // The same, where it must succeed and answer one value; else fails the test
  // and returns an empty text.
  std::string Value(const std::string& sql);

 private:
  void* connection_;
};

// A tenant with what most tests need of it. Ids.
struct SeededTenant {
  std::string id;
  std::string slug;
  // Named ATLAS, owned by `owner`.
  std::string agent;
  // Members: `owner` has the role owner, `carol` compliance and privacy,
  // `dave` member.
  std::string owner;
  std::string carol;
  std::string dave;
  // The agent's token's row; its hash is AgentTokenHash(slug).
  std::string agent_token;
};

std::string AgentTokenHash(absl::string_view slug);

// How the binary's server runs.
struct ServerOptions {
  // On: a commit waits for the disk, as in production. For benchmarks.
  bool durable = false;
  // Further settings, each `name=value`.
  std::vector<std::string> settings = {};
};

// Says how the server is to run. REQUIRES: no database was made yet.
void ConfigureServer(ServerOptions options);

class TestDatabase {
 public:
  // Fails the test binary, loudly, where PostgreSQL can't be started.
  static std::unique_ptr<TestDatabase> Make();
  // One without any tables, for tests of the migrator.
  static std::unique_ptr<TestDatabase> MakeEmpty();

  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  ~TestDatabase();

  // DIRECT_URL: the tables' owner.
  const std::string& direct_url() const { return direct_url_; }
  // DATABASE_URL: a login role that is a member of intent_runtime.
  const std::string& runtime_url() const { return runtime_url_; }
  const std::string& superuser_url() const { return superuser_url_; }
  // The database's name, and the folder of the server's socket.
  const std::string& name() const { return name_; }
  static const std::string& SocketDir();

  storage::Database& direct() { return *direct_; }
  storage::Database& runtime() { return *runtime_; }
  // As the superuser: what a test reads and writes past all row security.
  SqlConnection& Super();
  // As the tables' owner, who is adopted as a writer on first use.
  SqlConnection& Owner();

  SeededTenant Seed(const std::string& slug);

 private:
  explicit TestDatabase(const std::string& name);

  std::string name_;
  std::string direct_url_;
  std::string runtime_url_;
  std::string superuser_url_;
  std::unique_ptr<storage::Database> direct_;
  std::unique_ptr<storage::Database> runtime_;
  std::unique_ptr<SqlConnection> super_;
  std::unique_ptr<SqlConnection> owner_;
};

}  // namespace sgl::testing

#endif  // TESTS_SUPPORT_DATABASE_H_
