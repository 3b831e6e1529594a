#include "tests/support/pgbouncer.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <postgresql/libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "base/check.h"

namespace sgl::testing {
namespace {

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  SGL_CHECK(file) << "can't write " << path;
}

// Runs a shell command; it must succeed.
void Shell(const std::string& command) {
  SGL_CHECK(std::system(command.c_str()) == 0) << command;
}

}  // namespace

std::unique_ptr<PgBouncer> PgBouncer::Start(int server_connections) {
  char made[] = "/var/tmp/intent_bouncer.XXXXXX";
  SGL_CHECK(mkdtemp(made) != nullptr) << "no folder below /var/tmp";
  const std::string folder = made;
  WriteFile(absl::StrCat(folder, "/users.txt"), "\"intent_login\" \"\"\n");
  WriteFile(absl::StrCat(folder, "/bouncer.ini"),
            absl::StrCat("[databases]\n* = host=", TestDatabase::SocketDir(),
                         "\n[pgbouncer]\npool_mode = transaction\n"
                         "default_pool_size = ",
                         server_connections,
                         "\nauth_type = trust\nauth_file = ", folder,
                         "/users.txt\nunix_socket_dir = ", folder,
                         "\nlisten_port = 6432\nlogfile = ", folder,
                         "/log\npidfile = ", folder, "/pid\n"));
  // It refuses to run as root, and goes to the background before it listens.
  const bool is_root = geteuid() == 0;
  if (is_root) Shell(absl::StrCat("chown -R postgres ", folder));
  Shell(absl::StrCat(is_root ? "runuser -u postgres -- " : "",
                     "/usr/sbin/pgbouncer -q -d ", folder, "/bouncer.ini"));
  const std::string target =
      absl::StrCat("host=", folder, " port=6432 dbname=pgbouncer");
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (PQping(target.c_str()) != PQPING_OK) {
    SGL_CHECK(absl::Now() < deadline) << "pgbouncer does not answer";
    std::this_thread::yield();
  }
  return std::unique_ptr<PgBouncer>(new PgBouncer(folder));
}

PgBouncer::~PgBouncer() {
  std::ifstream file(absl::StrCat(folder_, "/pid"));
  pid_t pid = 0;
  if (file >> pid && pid > 1) kill(pid, SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PgBouncer::RuntimeUrl(const TestDatabase& database) const {
  return absl::StrCat("postgresql://intent_login@/", database.name(),
                      "?host=", folder_,
                      "&port=6432&pgbouncer=true&connection_limit=5");
}

}  // namespace sgl::testing
