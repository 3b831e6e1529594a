#include "engine/files.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sgl::engine {
namespace {

constexpr size_t kFileBytesMax = size_t{16} * 1024 * 1024;

absl::Status ErrnoStatus(absl::string_view what, const std::string& path) {
  const std::string message =
      absl::StrCat("can't ", what, " `", path, "`: ", std::strerror(errno));
  return errno == ENOENT ? absl::NotFoundError(message)
                         : absl::FailedPreconditionError(message);
}

// Closes what it holds.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return ErrnoStatus("open", path);
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t count = read(file.fd(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus("read", path);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kFileBytesMax) {
      return absl::FailedPreconditionError(
          absl::StrCat("`", path, "` has more than ", kFileBytesMax, " bytes"));
    }
  }
}

absl::Status WriteFileWhole(const std::string& path, absl::string_view text,
                            int mode) {
  const std::string beside = absl::StrCat(path, ".new");
  // A leftover's mode would stay as it was.
  unlink(beside.c_str());
  const File file(
      open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.fd() < 0) return ErrnoStatus("create", beside);
  if (!WriteAll(file.fd(), text)) return ErrnoStatus("write", beside);
  if (fsync(file.fd()) != 0) return ErrnoStatus("sync", beside);
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("create", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Take(
    const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("open", path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const absl::Status status = ErrnoStatus("lock", path);
    close(fd);
    return status;
  }
  return std::unique_ptr<FileLock>(new FileLock(fd));
}

FileLock::~FileLock() { close(fd_); }

}  // namespace sgl::engine
