// Proves that a private server starts as a user that is not root, is reached
// over its socket only, is taken over when its starter is gone, ends with its
// starter where that was asked for, and that failures say what to do. Runs
// against the PostgreSQL that is installed or named.

#include "storage/private_postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/subprocess.h"

namespace sgl::storage {
namespace {

using ::testing::HasSubstr;

class PrivatePostgresTest : public ::testing::Test {
 protected:
  PrivatePostgresTest() {
    std::string dir = "/var/tmp/private_postgres_test-XXXXXX";
    dir_ = mkdtemp(dir.data());
    // As root, the server's user must be able to reach it.
    std::filesystem::permissions(dir_, std::filesystem::perms(0755));
  }
  ~PrivatePostgresTest() override { std::filesystem::remove_all(dir_); }

  PrivatePostgresOptions Options() const {
    return {.data_dir = dir_ + "/data", .durable = false};
  }

  // Whether `SELECT 1` works over `url`.
  static std::string Query(const std::string& url, const std::string& sql) {
    absl::StatusOr<SubprocessResult> result =
        storage::Run({"/usr/bin/psql", "-X", "-A", "-t", "-d", url, "-c", sql});
    return result.ok() ? result->output : result.status().ToString();
  }

  std::string dir_;
};

TEST_F(PrivatePostgresTest, ServesOverItsSocketAndNoNetwork) {
  auto server = PrivatePostgres::Start(Options());
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string url = (*server)->Url("postgres", "postgres");
  EXPECT_EQ(Query(url, "SHOW listen_addresses"), "\n");
  EXPECT_EQ(Query(url, "SELECT 40 + 2"), "42\n");
  EXPECT_FALSE((*server)->was_running());
  EXPECT_TRUE((*server)->Stop().ok());
  EXPECT_THAT(Query(url, "SELECT 1"), HasSubstr("failed"));
}

TEST_F(PrivatePostgresTest, TakesOverAServerThatStillRuns) {
  auto first = PrivatePostgres::Start(Options());
  ASSERT_TRUE(first.ok()) << first.status();
  Query((*first)->Url("postgres", "postgres"), "CREATE TABLE kept (a int)");
  first->reset();
  auto second = PrivatePostgres::Start(Options());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE((*second)->was_running());
  EXPECT_EQ(Query((*second)->Url("postgres", "postgres"),
                  "SELECT count(*) FROM kept"),
            "0\n");
  EXPECT_TRUE((*second)->Stop().ok());
}

TEST_F(PrivatePostgresTest, EndsWithItsCallerWhenAsked) {
  PrivatePostgresOptions options = Options();
  options.ends_with_caller = true;
  int url_pipe[2];
  ASSERT_EQ(pipe(url_pipe), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto server = PrivatePostgres::Start(options);
    const std::string url =
        server.ok() ? (*server)->Url("postgres", "postgres") : "";
    if (write(url_pipe[1], url.data(), url.size()) < 0) _exit(1);
    _exit(0);  // No destructor: as after a crash.
  }
  close(url_pipe[1]);
  EXPECT_EQ(Await(child), 0);
  std::string url(4096, '\0');
  const ssize_t size = read(url_pipe[0], url.data(), url.size());
  close(url_pipe[0]);
  ASSERT_GT(size, 0);
  url.resize(size);
  // The signal is on its way when the caller is reaped; connections are
  // refused as soon as the server has taken it.
  std::string answer;
  for (int i = 0; i < 500; ++i) {
    answer = Query(url, "SELECT 1");
    if (answer != "1\n") break;
  }
  EXPECT_NE(answer, "1\n");
}

TEST_F(PrivatePostgresTest, StopsAtOnceWhereTheServerIsGone) {
  auto server = PrivatePostgres::Start(Options());
  ASSERT_TRUE(server.ok()) << server.status();
  pid_t pid = 0;
  std::ifstream((*server)->socket_dir() + "/../cluster/postmaster.pid") >> pid;
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  // Dead, and not asked after: whoever started it has to do that.
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, pid, &ended, WEXITED | WNOWAIT), 0);
  const absl::Status stopped = (*server)->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
}

TEST_F(PrivatePostgresTest, UnreachableFolderMovesTheClusterElsewhere) {
  if (geteuid() != 0) {
    // Without root the server is us, and reaches what we reach.
    SUCCEED();
    return;
  }
  const std::string locked = dir_ + "/locked";
  std::filesystem::create_directory(locked);
  std::filesystem::permissions(locked, std::filesystem::perms(0700));
  PrivatePostgresOptions options = Options();
  options.data_dir = locked + "/data";
  auto server = PrivatePostgres::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT((*server)->socket_dir(), HasSubstr("/var/tmp/intent-engine-"));
  const std::string home =
      std::filesystem::path((*server)->socket_dir()).parent_path().string();
  server->reset();
  auto again = PrivatePostgres::Start(options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)->was_running());
  EXPECT_TRUE((*again)->Stop().ok());
  std::filesystem::remove_all(home);
}

TEST_F(PrivatePostgresTest, MissingProgramsAreNamedWithTheRemedy) {
  PrivatePostgresOptions options = Options();
  options.bin_dir = dir_;
  auto server = PrivatePostgres::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(server.status().message(),
            "PostgreSQL is not installed (no initdb below " + dir_ +
                "); `apt-get install postgresql` installs it");
}

TEST_F(PrivatePostgresTest, VariableNamesTheFolderWithThePrograms) {
  const char* before = getenv("INTENT_POSTGRES_BIN");
  const std::string kept = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("INTENT_POSTGRES_BIN", dir_.c_str(), 1), 0);
  auto server = PrivatePostgres::Start(Options());
  if (before == nullptr) {
    unsetenv("INTENT_POSTGRES_BIN");
  } else {
    setenv("INTENT_POSTGRES_BIN", kept.c_str(), 1);
  }
  EXPECT_EQ(server.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(server.status().message()),
            "INTENT_POSTGRES_BIN names `" + dir_ +
                "`, which holds no initdb; name the folder that does, or unset "
                "it for the PostgreSQL that is installed");
}

TEST_F(PrivatePostgresTest, ProgramsOutOfReachAreNamed) {
  if (geteuid() != 0) {
    // Without root the server is us, and reaches what we reach.
    SUCCEED();
    return;
  }
  std::ofstream(dir_ + "/initdb") << "#!/bin/sh\n";
  std::filesystem::permissions(dir_, std::filesystem::perms(0700));
  PrivatePostgresOptions options = {.data_dir = "", .bin_dir = dir_};
  std::string data = "/var/tmp/private_postgres_data-XXXXXX";
  options.data_dir = mkdtemp(data.data());
  std::filesystem::permissions(options.data_dir, std::filesystem::perms(0755));
  auto server = PrivatePostgres::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("can't reach `" + dir_ + "`"));
  std::filesystem::remove_all(options.data_dir);
}

TEST_F(PrivatePostgresTest, BadSettingShowsTheServersOwnWords) {
  PrivatePostgresOptions options = Options();
  options.settings = {"shared_buffers=nonsense"};
  auto server = PrivatePostgres::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("invalid value for parameter \"shared_buffers\""));
}

TEST_F(PrivatePostgresTest, UnwritableFolderIsNamed) {
  std::ofstream(dir_ + "/file") << "x";
  PrivatePostgresOptions options = Options();
  options.data_dir = dir_ + "/file";
  auto server = PrivatePostgres::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("/file`"));
}

}  // namespace
}  // namespace sgl::storage
