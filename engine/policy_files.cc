#include "engine/policy_files.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "base/log.h"
#include "base/zone_loader.h"

namespace sgl::engine {
namespace {

namespace fs = std::filesystem;

absl::Status AddFolder(const std::string& folder,
                       std::set<std::string>* files) {
  const size_t before = files->size();
  // `.` adds nothing to a file's name.
  const absl::string_view here = folder == "." ? "./" : "";
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".sgl" && entry->is_regular_file(ignored))
      files->emplace(absl::StripPrefix(entry->path().string(), here));
    if (files->size() > kPolicyFilesMax) break;
  }
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("can't read folder `", folder, "`: ", error.message()));
  }
  if (files->size() == before) {
    return absl::FailedPreconditionError(
        absl::StrCat("folder `", folder, "` holds no .sgl file"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> Files(
    const std::vector<std::string>& paths) {
  std::set<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      return absl::NotFoundError(
          absl::StrCat("policy path `", path, "` does not exist"));
    }
    if (!fs::is_directory(status)) {
      files.insert(path);
      continue;
    }
    const absl::Status added = AddFolder(path, &files);
    if (!added.ok()) return added;
  }
  if (files.size() > kPolicyFilesMax) {
    return absl::FailedPreconditionError(absl::StrCat(
        "more than ", kPolicyFilesMax, " policy files; name a narrower path"));
  }
  return files;
}

}  // namespace

absl::StatusOr<std::vector<SourceFile>> ReadPolicyFiles(
    const std::vector<std::string>& paths) {
  const absl::StatusOr<std::set<std::string>> files = Files(paths);
  if (!files.ok()) return files.status();
  std::vector<SourceFile> sources;
  size_t bytes = 0;
  for (const std::string& file : *files) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream.is_open() || stream.bad()) {
      return absl::FailedPreconditionError(
          absl::StrCat("can't read policy file `", file, "`"));
    }
    sources.push_back({.name = file, .text = text.str()});
    bytes += sources.back().text.size();
    if (bytes > kPolicyBytesMax) {
      return absl::FailedPreconditionError(
          absl::StrCat("the policy files hold more than ", kPolicyBytesMax,
                       " bytes; name a narrower path"));
    }
  }
  return sources;
}

absl::StatusOr<std::shared_ptr<const Program>> CompilePolicy(
    const std::vector<SourceFile>& sources) {
  const std::vector<std::string> names = ZonesNamed(sources);
  const Compilation compilation = Compile(sources, LoadZones(names));
  if (compilation.program == nullptr) {
    return absl::InvalidArgumentError(compilation.Render());
  }
  if (compilation.warning_count > 0) {
    LogWarn("the policy has {} warnings:\n{}", compilation.warning_count,
            compilation.Render());
  }
  return compilation.program;
}

}  // namespace sgl::engine
