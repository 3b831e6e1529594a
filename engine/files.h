// Small files of ours: read whole, written whole or not at all.

#ifndef ENGINE_FILES_H_
#define ENGINE_FILES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>

namespace sgl::engine {

// Returns the file's bytes. NOT_FOUND, or FAILED_PRECONDITION where it can't
// be read, naming the path and why; also beyond 16 MiB.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes beside the path and renames, so that whoever sees the file sees all
// of it. `mode` as for open(2). FAILED_PRECONDITION naming the path and why.
absl::Status WriteFileWhole(const std::string& path, absl::string_view text,
                            int mode);

// An exclusive lock on a file, held until destroyed. The kernel drops it with
// the process, however that ends.
class FileLock {
 public:
  // Creates the file where missing. FAILED_PRECONDITION: somebody else holds
  // it, or it can't be created.
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(
      const std::string& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace sgl::engine

#endif  // ENGINE_FILES_H_
