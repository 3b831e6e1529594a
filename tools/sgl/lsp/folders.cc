#include "tools/sgl/lsp/folders.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/policy_files.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

std::string ParentOf(const std::string& path) {
  return fs::path(path).parent_path().string();
}

// Returns the longest of the folders that a folder lies in, or an empty text.
std::string Innermost(const std::vector<std::string>& folders,
                      const std::string& folder) {
  std::string innermost;
  for (const std::string& candidate : folders) {
    if (IsBelow(folder, candidate) && candidate.size() > innermost.size()) {
      innermost = candidate;
    }
  }
  return innermost;
}

}  // namespace

bool SaysDefault(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "default") || line.empty() ||
        !absl::ascii_isspace(line.front())) {
      continue;
    }
    line = absl::StripLeadingAsciiWhitespace(line);
    for (const absl::string_view decision : {"allow", "review", "block"}) {
      if (absl::StartsWith(line, decision)) return true;
    }
  }
  return false;
}

bool IsBelow(absl::string_view path, absl::string_view folder) {
  if (folder == "/") return true;
  return absl::ConsumePrefix(&path, folder) &&
         (path.empty() || path.front() == '/');
}

void Folders::RemoveOpened(const std::string& folder) {
  const auto found = std::find(opened_.begin(), opened_.end(), folder);
  if (found != opened_.end()) opened_.erase(found);
}

void Folders::SetBuffers(
    const std::map<std::string, bool>& says_default_by_path) {
  buffers_.clear();
  for (const auto& [path, says_default] : says_default_by_path) {
    bool& of_folder = buffers_[ParentOf(path)];
    of_folder = of_folder || says_default;
  }
}

void Folders::Forget() {
  folders_.clear();
  texts_.clear();
  text_bytes_ = 0;
}

const Folders::Folder& Folders::Read(const std::string& path) {
  const auto [found, is_new] = folders_.try_emplace(path);
  Folder& folder = found->second;
  if (!is_new) return folder;
  std::error_code error;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (++folder.entries > kEntriesMax) {
      folder.files.clear();
      folder.folders.clear();
      return folder;
    }
    std::error_code ignored;
    std::string name = entry->path().string();
    if (entry->path().extension() == ".sgl" &&
        entry->is_regular_file(ignored)) {
      folder.files.push_back(std::move(name));
    } else if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      // What starts with a dot is some tool's, such as `.git`.
      const bool is_hidden =
          absl::StartsWith(entry->path().filename().string(), ".");
      if (!is_hidden) folder.folders.push_back(std::move(name));
    }
  }
  for (const std::string& file : folder.files) {
    if (text_bytes_ > engine::kPolicyBytesMax) break;
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream.is_open() || stream.bad()) continue;
    std::string& kept = texts_[file] = std::move(text).str();
    text_bytes_ += kept.size();
    folder.says_default = folder.says_default || SaysDefault(kept);
  }
  return folder;
}

bool Folders::SaysDefaultIn(const std::string& folder) {
  const auto open = buffers_.find(folder);
  return (open != buffers_.end() && open->second) || Read(folder).says_default;
}

bool Folders::HoldsFiles(const std::string& folder) {
  return buffers_.contains(folder) || !Read(folder).files.empty();
}

std::string Folders::TopOf(const std::string& path) {
  if (!absl::StartsWith(path, "/")) return path;
  return TopOfFolder(ParentOf(path));
}

std::string Folders::TopOfFolder(const std::string& folder) {
  const std::string root = Innermost(roots_, folder);
  if (!root.empty()) return root;
  std::string limit = Innermost(opened_, folder);
  if (limit.empty()) limit = "/";
  std::string at = folder;
  while (!SaysDefaultIn(at)) {
    if (at == limit) {
      at.clear();
      break;
    }
    at = ParentOf(at);
  }
  if (!at.empty()) return at;
  at = folder;
  while (at != limit && HoldsFiles(ParentOf(at))) at = ParentOf(at);
  return at;
}

std::map<std::string, std::string> Folders::TextsOf(const std::string& top) {
  std::map<std::string, std::string> texts;
  if (!absl::StartsWith(top, "/")) return texts;
  size_t entries = 0;
  size_t bytes = 0;
  std::vector<std::string> left = {top};
  while (!left.empty()) {
    const std::string path = std::move(left.back());
    left.pop_back();
    if (TopOfFolder(path) != top) continue;  // another set begins here
    const Folder& folder = Read(path);
    entries += folder.entries;
    for (const std::string& file : folder.files) {
      const auto text = texts_.find(file);
      if (text == texts_.end()) continue;
      bytes += text->second.size();
      texts.insert(*text);
    }
    if (entries > kEntriesMax || bytes > engine::kPolicyBytesMax ||
        texts.size() > engine::kPolicyFilesMax) {
      return {};
    }
    left.insert(left.end(), folder.folders.begin(), folder.folders.end());
  }
  return texts;
}

}  // namespace sgl::tools
