#include "engine/heads_file.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/audit_head.h"

namespace sgl::engine {
namespace {

absl::Status Failed(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::FailedPreconditionError(
      absl::StrCat("can't ", what, " `", path, "`: ", std::strerror(error)));
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Whether the file's last byte is no newline: a write before was cut short.
bool EndsWithinALine(int fd) {
  struct stat status = {};
  char last = '\n';
  if (fstat(fd, &status) != 0 || status.st_size == 0) return false;
  return pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

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

absl::Status HeadsFile::Append(std::span<const storage::SealHead> heads) {
  if (path_.empty()) return absl::OkStatus();
  pending_.insert(pending_.end(), heads.begin(), heads.end());
  if (pending_.size() > kPendingMax) KeepNewest();
  if (pending_.empty()) return absl::OkStatus();
  const OpenFile file(path_);
  if (file.fd() < 0) return Failed(path_, "open");
  std::string text;
  if (may_be_torn_ && EndsWithinALine(file.fd())) text = "\n";
  for (const storage::SealHead& head : pending_) {
    absl::StrAppend(&text, HeadJson(head), "\n");
  }
  may_be_torn_ = true;
  if (!WriteAll(file.fd(), text)) return Failed(path_, "write to");
  if (fsync(file.fd()) != 0) return Failed(path_, "sync");
  may_be_torn_ = false;
  pending_.clear();
  return absl::OkStatus();
}

void HeadsFile::KeepNewest() {
  absl::flat_hash_map<std::string, storage::SealHead> newest;
  for (storage::SealHead& head : pending_) {
    storage::SealHead& kept = newest[head.log_id];
    if (head.tree_size > kept.tree_size) kept = std::move(head);
  }
  pending_.clear();
  for (auto& [log_id, head] : newest) pending_.push_back(std::move(head));
}

}  // namespace sgl::engine
