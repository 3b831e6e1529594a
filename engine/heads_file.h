// The file of audit heads outside the database (`--audit-heads PATH`): one
// line of JSON a head, appended and synced.
//
// The path is opened anew for each write, so the file may be moved away at any
// time: the next head makes a new one. What can't be written is kept and tried
// again with the next write; beyond a bound only the newest head of each log
// is kept, which commits to all that those before it said.

#ifndef ENGINE_HEADS_FILE_H_
#define ENGINE_HEADS_FILE_H_

#include <absl/status/status.h>

#include <deque>
#include <span>
#include <string>

#include "storage/seals.h"

namespace sgl::engine {

// Confined to one thread.
class HeadsFile {
 public:
  // Heads kept while the file can't be written.
  static constexpr size_t kPendingMax = 100'000;

  // An empty path: writes nothing.
  explicit HeadsFile(std::string path) : path_(std::move(path)) {}

  // Adds heads and writes all that wait. FAILED_PRECONDITION naming the path
  // and why: they still wait.
  absl::Status Append(std::span<const storage::SealHead> heads);

  size_t pending() const { return pending_.size(); }

 private:
  void KeepNewest();

  const std::string path_;
  std::deque<storage::SealHead> pending_;
  // The last write may have ended within a line.
  bool may_be_torn_ = true;
};

}  // namespace sgl::engine

#endif  // ENGINE_HEADS_FILE_H_
