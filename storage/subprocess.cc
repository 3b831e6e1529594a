#include "storage/subprocess.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace sgl::storage {
namespace {

// Enough for the lines of initdb or pg_ctl that say what went wrong.
constexpr off_t kOutputBytesMax = 4000;

std::string ReadTail(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END);
  const off_t start = size > kOutputBytesMax ? size - kOutputBytesMax : 0;
  std::string text(size - start, '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), start);
  text.resize(got > 0 ? got : 0);
  return text;
}

}  // namespace

absl::StatusOr<int> Spawn(const std::vector<std::string>& command,
                          int output_fd) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
  posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr,
                                arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return absl::InternalError(
        absl::StrCat("start `", command[0], "`: ", std::strerror(error)));
  }
  return pid;
}

int Await(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

absl::StatusOr<SubprocessResult> Run(const std::vector<std::string>& command) {
  // A file and not a pipe: a daemon that the command leaves behind would hold
  // a pipe's end open for ever.
  const int fd = memfd_create("subprocess_output", MFD_CLOEXEC);
  if (fd < 0) {
    return absl::InternalError(
        absl::StrCat("memfd_create: ", std::strerror(errno)));
  }
  absl::StatusOr<int> pid = Spawn(command, fd);
  if (!pid.ok()) {
    close(fd);
    return pid.status();
  }
  SubprocessResult result;
  result.exit_status = Await(*pid);
  result.output = ReadTail(fd);
  close(fd);
  return result;
}

}  // namespace sgl::storage
