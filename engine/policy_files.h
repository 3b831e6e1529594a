// Reads a policy set from files and folders, and compiles it.
//
//   absl::StatusOr<std::vector<SourceFile>> sources =
//       ReadPolicyFiles({"policy/library/atlas.sgl"});
//   absl::StatusOr<std::shared_ptr<const Program>> program =
//       CompilePolicy(*sources);
//
// The policy layer does no I/O; this is where its sources and time zones come
// from.

#ifndef ENGINE_POLICY_FILES_H_
#define ENGINE_POLICY_FILES_H_

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// More files, or larger ones, are a mistake in a path, not a policy.
inline constexpr size_t kPolicyFilesMax = 10'000;
inline constexpr size_t kPolicyBytesMax = 64 * 1024 * 1024;

// Returns the files named, and all `*.sgl` files below the folders named,
// sorted by path, each once. NOT_FOUND names a path that is not there;
// FAILED_PRECONDITION a folder without any, a file that can't be read, and
// sets beyond the bounds above.
absl::StatusOr<std::vector<SourceFile>> ReadPolicyFiles(
    const std::vector<std::string>& paths);

// Loads the zones that the sources name and compiles them. INVALID_ARGUMENT
// where there are errors: the message is the rendered diagnostics. Warnings are
// logged.
absl::StatusOr<std::shared_ptr<const Program>> CompilePolicy(
    const std::vector<SourceFile>& sources);

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_FILES_H_
