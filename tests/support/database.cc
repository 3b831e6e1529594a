#include "tests/support/database.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <postgresql/libpq-fe.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "storage/identity.h"
#include "storage/migrator.h"
#include "storage/private_postgres.h"

namespace sgl::testing {
namespace {

constexpr char kTemplate[] = "intent_template";

constexpr char kFolders[] = "/var/tmp";
constexpr char kFolderPrefix[] = "intent_test.";

// The binary's server and its folder.
struct Server {
  std::string folder;
  std::unique_ptr<storage::PrivatePostgres> postgres;
};

// Returns whether nobody else held the folder's lock. Then we do, to the end
// of the process.
bool LockFolder(const std::string& folder) {
  const int lock = open(absl::StrCat(folder, "/lock").c_str(),
                        O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock < 0) return false;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return true;
  close(lock);
  return false;
}

// Removes what binaries that were killed left behind; their servers ended with
// them.
void RemoveStaleFolders() {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(kFolders, ignored)) {
    const bool is_test =
        absl::StartsWith(entry.path().filename().string(), kFolderPrefix);
    if (is_test && std::filesystem::exists(entry.path() / "lock", ignored) &&
        LockFolder(entry.path().string())) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
}

// Returns a new folder that the server's user can reach.
std::string MakeFolder() {
  while (true) {
    std::string folder = absl::StrCat(kFolders, "/", kFolderPrefix, "XXXXXX");
    SGL_CHECK(mkdtemp(folder.data()) != nullptr) << "no folder in " << kFolders;
    SGL_CHECK(chmod(folder.c_str(), 0755) == 0) << folder;
    // Another binary that clears up may have been quicker than our lock.
    if (LockFolder(folder)) return folder;
  }
}

Server* server_or_null = nullptr;
// What ConfigureServer was given; null: the defaults.
const ServerOptions* server_options_or_null = nullptr;

void StopServer() {
  static_cast<void>(server_or_null->postgres->Stop());
  std::error_code ignored;
  std::filesystem::remove_all(server_or_null->folder, ignored);
}

void DeployTemplate(const Server& server) {
  SqlConnection super(server.postgres->Url("postgres", "postgres"));
  super.Run("CREATE ROLE intent_owner LOGIN CREATEDB CREATEROLE");
  super.Run(absl::StrCat("CREATE DATABASE ", kTemplate, " OWNER intent_owner"));
  const std::string url = server.postgres->Url(kTemplate, "intent_owner");
  const auto deployed = storage::Deploy(url);
  SGL_CHECK(deployed.ok()) << deployed.status().ToString();
  super.Run("CREATE ROLE intent_login LOGIN");
  const absl::Status granted = storage::GrantRuntime(url, "intent_login");
  SGL_CHECK(granted.ok()) << granted.ToString();
}

const storage::PrivatePostgres& TheServer() {
  if (server_or_null != nullptr) return *server_or_null->postgres;
  RemoveStaleFolders();
  const std::string folder = MakeFolder();
  const ServerOptions options = server_options_or_null == nullptr
                                    ? ServerOptions()
                                    : *server_options_or_null;
  // The last of two settings of one name counts.
  std::vector<std::string> settings = {"max_connections=60",
                                       "shared_buffers=32MB"};
  settings.insert(settings.end(), options.settings.begin(),
                  options.settings.end());
  auto postgres =
      storage::PrivatePostgres::Start({.data_dir = folder,
                                       .durable = options.durable,
                                       .ends_with_caller = true,
                                       .settings = std::move(settings)});
  SGL_CHECK(postgres.ok()) << postgres.status().ToString();
  server_or_null = new Server{folder, *std::move(postgres)};
  std::atexit(StopServer);
  DeployTemplate(*server_or_null);
  return *server_or_null->postgres;
}

std::string CreateDatabase(absl::string_view template_name) {
  static std::atomic<int> made = 0;
  const std::string name = absl::StrCat("test_", ++made);
  SqlConnection super(TheServer().Url("postgres", "postgres"));
  const SqlResult created =
      super.Run(absl::StrCat("CREATE DATABASE ", name, " OWNER intent_owner",
                             " TEMPLATE ", template_name));
  SGL_CHECK(created.ok()) << created.error;
  return name;
}

std::unique_ptr<storage::Database> Open(const std::string& url) {
  auto database = storage::Database::Create(url, {});
  SGL_CHECK(database.ok()) << database.status().ToString();
  return *std::move(database);
}

// The value, or the end of the test binary: a seed that fails leaves nothing
// to test.
template <typename T>
T Sure(absl::StatusOr<T> value) {
  SGL_CHECK(value.ok()) << value.status().ToString();
  return *std::move(value);
}

}  // namespace

void ConfigureServer(ServerOptions options) {
  SGL_CHECK(server_or_null == nullptr) << "the server runs already";
  delete server_options_or_null;
  server_options_or_null = new ServerOptions(std::move(options));
}

SqlConnection::SqlConnection(const std::string& url)
    : connection_(PQconnectdb(url.c_str())) {
  PGconn* connection = static_cast<PGconn*>(connection_);
  SGL_CHECK(PQstatus(connection) == CONNECTION_OK)
      << PQerrorMessage(connection);
  // Notices would only clutter the log.
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
}

SqlConnection::~SqlConnection() { PQfinish(static_cast<PGconn*>(connection_)); }

SqlResult SqlConnection::Run(const std::string& sql) {
  PGresult* result = PQexec(static_cast<PGconn*>(connection_), sql.c_str());
  SqlResult out;
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    out.sqlstate = sqlstate == nullptr ? "08000" : sqlstate;
    out.error = PQresultErrorMessage(result);
  }
  for (int row = 0; row < PQntuples(result); ++row) {
    out.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      out.rows.back().push_back(PQgetvalue(result, row, column));
    }
  }
  PQclear(result);
  return out;
}

std::string SqlConnection::Value(const std::string& sql) {
  const SqlResult result = Run(sql);
  EXPECT_TRUE(result.ok()) << sql << "\n" << result.error;
  EXPECT_EQ(result.rows.size(), 1u) << sql;
  return result.rows.size() == 1 ? result.rows[0][0] : "";
}

std::string AgentTokenHash(absl::string_view slug) {
  return Sha256Hex(absl::StrCat("agent token of ", slug));
}

TestDatabase::TestDatabase(const std::string& name)
    : name_(name),
      direct_url_(TheServer().Url(name, "intent_owner")),
      runtime_url_(TheServer().Url(name, "intent_login")),
      superuser_url_(TheServer().Url(name, "postgres")),
      direct_(Open(direct_url_)),
      runtime_(Open(runtime_url_)) {}

TestDatabase::~TestDatabase() = default;

const std::string& TestDatabase::SocketDir() {
  return TheServer().socket_dir();
}

std::unique_ptr<TestDatabase> TestDatabase::Make() {
  TheServer();
  return std::unique_ptr<TestDatabase>(
      new TestDatabase(CreateDatabase(kTemplate)));
}

std::unique_ptr<TestDatabase> TestDatabase::MakeEmpty() {
  TheServer();
  return std::unique_ptr<TestDatabase>(
      new TestDatabase(CreateDatabase("template0")));
}

SqlConnection& TestDatabase::Super() {
  if (super_ == nullptr) {
    super_ = std::make_unique<SqlConnection>(superuser_url_);
  }
  return *super_;
}

SqlConnection& TestDatabase::Owner() {
  if (owner_ == nullptr) {
    const absl::Status adopted =
        storage::AdoptWriter(direct_url_, "intent_owner");
    SGL_CHECK(adopted.ok()) << adopted.ToString();
    owner_ = std::make_unique<SqlConnection>(direct_url_);
  }
  return *owner_;
}

SeededTenant TestDatabase::Seed(const std::string& slug) {
  storage::Transaction tx = Sure(direct_->Begin({}));
  SeededTenant tenant;
  tenant.slug = slug;
  tenant.id = Sure(storage::CreateTenant(tx, {.slug = slug, .name = slug}));
  const auto member = [&](const std::string& name, const std::string& role,
                          std::vector<std::string> further) {
    return Sure(storage::CreateMember(
        tx, {.tenant_id = tenant.id,
             .email = absl::StrCat(name, "@", slug, ".example"),
             .name = name,
             .role = role,
             .further_roles = std::move(further)}));
  };
  tenant.owner = member("owner", "owner", {});
  tenant.carol = member("carol", "compliance", {"privacy"});
  tenant.dave = member("dave", "member", {});
  tenant.agent =
      Sure(storage::CreateAgent(tx, {.tenant_id = tenant.id,
                                     .name = "ATLAS",
                                     .role = "executor",
                                     .tier = 2,
                                     .labels = {"trusted", "a,b \"c\""},
                                     .owner_user_id = tenant.owner}));
  tenant.agent_token =
      Sure(storage::CreateToken(tx, {.tenant_id = tenant.id,
                                     .kind = storage::PrincipalKind::kAgent,
                                     .principal_id = tenant.agent,
                                     .name = "test",
                                     .token_sha256 = AgentTokenHash(slug),
                                     .issued_by = tenant.owner}));
  const absl::Status committed = tx.Commit();
  SGL_CHECK(committed.ok()) << committed.ToString();
  return tenant;
}

}  // namespace sgl::testing
