// Runs another program and waits for it: what private_postgres needs of
// initdb and pg_ctl. Internal to storage.

#ifndef STORAGE_SUBPROCESS_H_
#define STORAGE_SUBPROCESS_H_

#include <absl/status/statusor.h>

#include <string>
#include <vector>

namespace sgl::storage {

struct SubprocessResult {
  // The exit status, or 128 + the signal that ended it.
  int exit_status = 0;
  // What it wrote to stdout and stderr, its last 4,000 bytes.
  std::string output;
};

// Starts `command` (absolute path first) with stdin from /dev/null and stdout
// and stderr to the file descriptor `output_fd`. Returns its process id.
// INTERNAL where it can't be started.
absl::StatusOr<int> Spawn(const std::vector<std::string>& command,
                          int output_fd);

// Waits for a child to end and returns its exit status as in
// SubprocessResult.
int Await(int pid);

// Runs `command` to its end. Children that it leaves behind are not waited
// for.
absl::StatusOr<SubprocessResult> Run(const std::vector<std::string>& command);

}  // namespace sgl::storage

#endif  // STORAGE_SUBPROCESS_H_
