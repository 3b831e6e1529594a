#include "storage/private_postgres.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fcntl.h>
#include <postgresql/libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "storage/subprocess.h"

namespace sgl::storage {
namespace {

namespace fs = std::filesystem;

constexpr char kInstalledVersions[] = "/usr/lib/postgresql";
// Names the folder with the programs where the options name none.
constexpr char kBinDirVariable[] = "INTENT_POSTGRES_BIN";
// The system user that Debian's package makes.
constexpr char kServerUser[] = "postgres";
// The folder's note of where its cluster is, when that is elsewhere.
constexpr char kLocationFile[] = "postgres.path";
// sun_path holds 108 bytes with its final zero (unix(7)).
constexpr size_t kSocketPathBytesMax = 107;
constexpr char kSocketName[] = "/.s.PGSQL.5432";
constexpr absl::Duration kReadyTimeout = absl::Minutes(1);
constexpr absl::Duration kReadyPoll = absl::Milliseconds(20);

std::string ReadFirstLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return std::string(absl::StripAsciiWhitespace(line));
}

// Returns the line of postmaster.pid with the given 1-based number, or "".
// Line 1 is the process id, line 5 the first socket folder.
std::string PidFileLine(const std::string& cluster_dir, int number) {
  std::ifstream file(cluster_dir + "/postmaster.pid");
  std::string line;
  for (int i = 0; i < number; ++i) {
    if (!std::getline(file, line)) return "";
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

absl::Status FolderError(absl::string_view what, const std::string& path,
                         const std::error_code& error) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " `", path, "`: ", error.message(),
                   "; name a folder that can be written with --data-dir"));
}

// The command, run as `user` (empty: as we are).
std::vector<std::string> As(const std::string& user,
                            std::vector<std::string> command,
                            bool ends_with_caller = false) {
  std::vector<std::string> whole;
  if (!user.empty() || ends_with_caller) whole.push_back("/usr/bin/setpriv");
  if (!user.empty()) {
    whole.insert(whole.end(),
                 {"--reuid", user, "--regid", user, "--init-groups"});
  }
  // SIGQUIT is PostgreSQL's immediate shutdown.
  if (ends_with_caller) whole.insert(whole.end(), {"--pdeathsig", "QUIT"});
  if (!whole.empty()) whole.push_back("--");
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

absl::StatusOr<std::string> FindBinDir(const std::string& wanted,
                                       const std::string& cluster_version) {
  std::string found = wanted;
  int newest = 0;
  std::error_code ignored;
  if (found.empty()) {
    for (const auto& entry :
         fs::directory_iterator(kInstalledVersions, ignored)) {
      const std::string name = entry.path().filename().string();
      int version = 0;
      if (!absl::SimpleAtoi(name, &version)) continue;
      if (!fs::exists(entry.path() / "bin" / "initdb", ignored)) continue;
      if (!cluster_version.empty() && name != cluster_version) continue;
      if (version <= newest) continue;
      newest = version;
      found = (entry.path() / "bin").string();
    }
  }
  if (found.empty() || !fs::exists(found + "/initdb", ignored)) {
    return absl::NotFoundError(
        absl::StrCat("PostgreSQL", cluster_version.empty() ? "" : " ",
                     cluster_version, " is not installed (no initdb below ",
                     wanted.empty() ? kInstalledVersions : wanted.c_str(),
                     "); `apt-get install postgresql` installs it"));
  }
  return found;
}

std::string WantedBinDir(const PrivatePostgresOptions& options) {
  if (!options.bin_dir.empty()) return options.bin_dir;
  const char* named = std::getenv(kBinDirVariable);
  return named == nullptr ? "" : named;
}

// Whether the server's user can enter `dir`.
bool CanEnter(const std::string& user, const std::string& dir) {
  absl::StatusOr<SubprocessResult> tried =
      Run(As(user, {"/usr/bin/test", "-x", dir}));
  return tried.ok() && tried->exit_status == 0;
}

// Makes `dir` (0700) for the server's user.
absl::Status MakeFolderFor(const std::string& user, const std::string& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return FolderError("make folder", dir, error);
  fs::permissions(dir, fs::perms::owner_all, error);
  if (error) return FolderError("set permissions of", dir, error);
  if (user.empty()) return absl::OkStatus();
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr ||
      chown(dir.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "give folder `", dir, "` to user `", user,
        "`: ", entry == nullptr ? "no such user" : std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivatePostgres>> PrivatePostgres::Start(
    const PrivatePostgresOptions& options) noexcept {
  std::unique_ptr<PrivatePostgres> server(new PrivatePostgres());
  server->ends_with_caller_ = options.ends_with_caller;
  if (geteuid() == 0) server->user_ = kServerUser;
  absl::Status status = server->Locate(options);
  if (status.ok()) status = server->Initialize(options);
  if (!status.ok()) return status;
  if (server->IsRunning()) {
    server->was_running_ = true;
    const std::string dir = PidFileLine(server->home_dir_ + "/cluster", 5);
    if (!dir.empty()) server->socket_dir_ = dir;
  } else {
    status = server->Launch(options);
    if (!status.ok()) return status;
  }
  status = server->AwaitReady();
  if (!status.ok()) return status;
  return server;
}

PrivatePostgres::~PrivatePostgres() {
  if (ends_with_caller_) Stop().IgnoreError();
}

absl::Status PrivatePostgres::Locate(const PrivatePostgresOptions& options) {
  std::error_code error;
  const fs::path data_dir = fs::absolute(options.data_dir, error);
  if (options.data_dir.empty() || error) {
    return absl::FailedPreconditionError("the data folder has no name");
  }
  fs::create_directories(data_dir, error);
  if (error) return FolderError("make data folder", data_dir.string(), error);
  home_dir_ = (data_dir / "postgres").string();
  const fs::path note = data_dir / kLocationFile;
  if (fs::exists(note, error)) {
    home_dir_ = ReadFirstLine(note);
  } else if (!fs::exists(home_dir_, error) &&
             ((!user_.empty() && !CanEnter(user_, data_dir.string())) ||
              home_dir_.size() + sizeof("/socket") + sizeof(kSocketName) >
                  kSocketPathBytesMax)) {
    std::string elsewhere = "/var/tmp/intent-engine-XXXXXX";
    if (mkdtemp(elsewhere.data()) == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("make a folder in /var/tmp: ", std::strerror(errno)));
    }
    home_dir_ = elsewhere;
    std::ofstream(note) << home_dir_ << "\n";
  }
  socket_dir_ = home_dir_ + "/socket";
  return absl::OkStatus();
}

absl::Status PrivatePostgres::Initialize(
    const PrivatePostgresOptions& options) {
  const std::string cluster_dir = home_dir_ + "/cluster";
  absl::StatusOr<std::string> bin_dir = FindBinDir(
      WantedBinDir(options), ReadFirstLine(cluster_dir + "/PG_VERSION"));
  if (!bin_dir.ok()) {
    const bool is_named =
        options.bin_dir.empty() && !WantedBinDir(options).empty();
    if (!is_named) return bin_dir.status();
    return absl::NotFoundError(absl::StrCat(
        kBinDirVariable, " names `", WantedBinDir(options),
        "`, which holds no initdb; name the folder that does, or unset it for "
        "the PostgreSQL that is installed"));
  }
  bin_dir_ = *bin_dir;
  if (!user_.empty() && !CanEnter(user_, bin_dir_)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "user `", user_, "`, as whom PostgreSQL runs, can't reach `", bin_dir_,
        "`; put its programs where every user may read"));
  }
  for (const std::string& dir : {home_dir_, socket_dir_}) {
    absl::Status made = MakeFolderFor(user_, dir);
    if (!made.ok()) return made;
  }
  std::error_code error;
  // initdb works beside the final name, so that one that was killed leaves no
  // half cluster behind.
  if (fs::exists(cluster_dir + "/PG_VERSION", error)) return absl::OkStatus();
  const std::string fresh_dir = home_dir_ + "/cluster.new";
  fs::remove_all(fresh_dir, error);
  std::vector<std::string> command = {
      bin_dir_ + "/initdb", "--pgdata=" + fresh_dir, "--username=postgres",
      "--auth=trust",       "--encoding=UTF8",       "--locale=C.UTF-8",
      "--no-instructions"};
  if (!options.durable) command.push_back("--no-sync");
  absl::StatusOr<SubprocessResult> made = Run(As(user_, command));
  if (!made.ok()) return made.status();
  if (made->exit_status != 0) {
    return absl::InternalError(absl::StrCat(
        "initdb exited with ", made->exit_status, ": ", made->output));
  }
  fs::rename(fresh_dir, cluster_dir, error);
  if (error) return FolderError("rename cluster to", cluster_dir, error);
  return absl::OkStatus();
}

absl::Status PrivatePostgres::Launch(const PrivatePostgresOptions& options) {
  const std::string cluster_dir = home_dir_ + "/cluster";
  std::vector<std::string> settings = {
      "listen_addresses=", "port=5432",
      "unix_socket_directories=" + socket_dir_,
      // The folder keeps others out; root comes in all the same.
      "unix_socket_permissions=0700"};
  if (!options.durable) {
    settings.insert(settings.end(), {"fsync=off", "full_page_writes=off",
                                     "synchronous_commit=off"});
  }
  settings.insert(settings.end(), options.settings.begin(),
                  options.settings.end());
  const std::string log_path = home_dir_ + "/server.log";
  std::vector<std::string> command = {bin_dir_ + "/postgres", "-D",
                                      cluster_dir};
  for (const std::string& setting : settings) {
    command.insert(command.end(), {"-c", setting});
  }
  // A session of its own: a Ctrl-C meant for us must not reach the server
  // before we have drained.
  if (!ends_with_caller_) {
    command.insert(command.begin(), {"/usr/bin/setsid", "--"});
  }
  const int log =
      open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("open `", log_path, "`: ", std::strerror(errno)));
  }
  absl::StatusOr<int> pid =
      Spawn(As(user_, std::move(command), ends_with_caller_), log);
  close(log);
  if (!pid.ok()) return pid.status();
  child_pid_ = *pid;
  return absl::OkStatus();
}

absl::Status PrivatePostgres::AwaitReady() {
  // Not pg_isready: what is enough to run a server may lack it.
  const std::string url = Url("postgres", "postgres");
  const absl::Time deadline = absl::Now() + kReadyTimeout;
  while (absl::Now() < deadline) {
    if (PQping(url.c_str()) == PQPING_OK) return absl::OkStatus();
    if (child_pid_ != 0 && waitpid(child_pid_, nullptr, WNOHANG) != 0) {
      child_pid_ = 0;
      absl::StatusOr<SubprocessResult> tail =
          Run({"/usr/bin/tail", "-n", "12", home_dir_ + "/server.log"});
      return absl::InternalError(absl::StrCat(
          "PostgreSQL ended while it started; the end of ", home_dir_,
          "/server.log: ", tail.ok() ? tail->output : ""));
    }
    absl::SleepFor(kReadyPoll);
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "PostgreSQL was not ready within ", absl::FormatDuration(kReadyTimeout),
      "; see ", home_dir_, "/server.log"));
}

bool PrivatePostgres::IsRunning() const {
  absl::StatusOr<SubprocessResult> asked =
      Run(As(user_, {bin_dir_ + "/pg_ctl", "status", "--pgdata",
                     home_dir_ + "/cluster"}));
  return asked.ok() && asked->exit_status == 0;
}

absl::Status PrivatePostgres::Stop() noexcept {
  if (is_stopped_) return absl::OkStatus();
  is_stopped_ = true;
  // A child that ended by itself has left no server to stop, and its process
  // id, which is ours until we ask, would look to pg_ctl like a running one.
  if (child_pid_ != 0 && waitpid(child_pid_, nullptr, WNOHANG) == child_pid_) {
    child_pid_ = 0;
    return absl::OkStatus();
  }
  // Nobody needs the data of a server that ends with its caller.
  const std::string mode = ends_with_caller_ ? "immediate" : "fast";
  absl::StatusOr<SubprocessResult> stopped =
      Run(As(user_, {bin_dir_ + "/pg_ctl", "stop", "--wait", "--mode=" + mode,
                     "--pgdata", home_dir_ + "/cluster"}));
  if (child_pid_ != 0) Await(child_pid_);
  child_pid_ = 0;
  if (!stopped.ok()) return stopped.status();
  if (stopped->exit_status != 0) {
    return absl::InternalError(
        absl::StrCat("stop PostgreSQL: ", stopped->output));
  }
  return absl::OkStatus();
}

std::string PrivatePostgres::Url(absl::string_view database,
                                 absl::string_view user) const {
  std::string host;
  for (const char c : socket_dir_) {
    // RFC 3986's unreserved characters stand for themselves.
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      host.push_back(c);
    } else {
      absl::StrAppend(
          &host, "%",
          absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return absl::StrCat("postgresql://", user, "@/", database, "?host=", host,
                      "&port=5432");
}

}  // namespace sgl::storage
