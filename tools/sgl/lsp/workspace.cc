#include "tools/sgl/lsp/workspace.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/policy_files.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFileScheme = "file://";

int HexValue(char digit) {
  if (absl::ascii_isdigit(digit)) return digit - '0';
  return absl::ascii_tolower(digit) - 'a' + 10;
}

std::string DecodePercent(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           absl::ascii_isxdigit(text[i + 1]) &&
                           absl::ascii_isxdigit(text[i + 2]);
    if (!is_escape) {
      decoded += text[i];
      continue;
    }
    decoded +=
        static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
    i += 2;
  }
  return decoded;
}

// The set of a path: its folder. What is no path is a set by itself.
std::string SetOf(const std::string& path) {
  if (!absl::StartsWith(path, "/")) return path;
  return fs::path(path).parent_path().string();
}

// Returns the paths of the `.sgl` files right in a folder.
std::vector<std::string> FilesOf(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".sgl" && entry->is_regular_file(ignored))
      files.push_back(entry->path().string());
    if (files.size() > engine::kPolicyFilesMax) return {};
  }
  return files;
}

}  // namespace

std::string PathOfUri(absl::string_view uri) {
  if (!absl::StartsWith(uri, kFileScheme)) return std::string(uri);
  absl::string_view rest = uri.substr(kFileScheme.size());
  if (absl::StartsWith(rest, "localhost/")) rest.remove_prefix(9);
  if (!absl::StartsWith(rest, "/")) return std::string(uri);
  return fs::path(DecodePercent(rest)).lexically_normal().string();
}

std::string UriOfPath(absl::string_view path) {
  if (!absl::StartsWith(path, "/")) return std::string(path);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri(kFileScheme);
  for (const char byte : path) {
    if (absl::ascii_isalnum(byte) || absl::StrContains("/-._~", byte)) {
      uri += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    uri += '%';
    uri += kHex[value / 16];
    uri += kHex[value % 16];
  }
  return uri;
}

void Workspace::Touch(const std::string& path) {
  const std::string set = SetOf(path);
  analyses_[set] = nullptr;
  changed_[set] = true;
}

void Workspace::Open(const std::string& uri, std::string text,
                     std::optional<int64_t> version) {
  const std::string path = PathOfUri(uri);
  buffers_[path] = {uri, std::move(text), version};
  Touch(path);
}

bool Workspace::Change(const std::string& uri, std::string text,
                       std::optional<int64_t> version) {
  const std::string path = PathOfUri(uri);
  const auto buffer = buffers_.find(path);
  if (buffer == buffers_.end()) return false;
  buffer->second.text = std::move(text);
  buffer->second.version = version;
  Touch(path);
  return true;
}

void Workspace::Close(const std::string& uri) {
  const std::string path = PathOfUri(uri);
  if (buffers_.erase(path) > 0) Touch(path);
}

void Workspace::Refresh() {
  for (const auto& [path, buffer] : buffers_) Touch(path);
}

std::vector<SourceFile> Workspace::SourcesOf(const std::string& path) const {
  const std::string set = SetOf(path);
  std::map<std::string, std::string> texts;
  size_t bytes = 0;
  if (set != path) {
    for (const std::string& file : FilesOf(set)) {
      if (buffers_.contains(file)) continue;
      std::ifstream stream(file, std::ios::binary);
      std::ostringstream text;
      text << stream.rdbuf();
      if (!stream.is_open() || stream.bad()) continue;
      std::string& kept = texts[file] = std::move(text).str();
      bytes += kept.size();
      if (bytes > engine::kPolicyBytesMax) break;
    }
  }
  // A folder of more than one policy set could hold is none.
  if (bytes > engine::kPolicyBytesMax) texts.clear();
  for (const auto& [file, buffer] : buffers_) {
    if (SetOf(file) == set) texts[file] = buffer.text;
  }
  std::vector<SourceFile> sources;
  for (auto& [file, text] : texts) sources.push_back({file, std::move(text)});
  return sources;
}

std::vector<std::string> Workspace::TakeChanged() {
  std::vector<std::string> sets;
  for (const auto& [set, is_changed] : changed_) sets.push_back(set);
  changed_.clear();
  return sets;
}

const Analysis* Workspace::AnalysisOfSet(const std::string& set) {
  const std::string* path_or_null = nullptr;
  for (const auto& [path, buffer] : buffers_) {
    if (SetOf(path) == set) path_or_null = &path;
  }
  if (path_or_null == nullptr) {
    analyses_.erase(set);
    return nullptr;
  }
  std::unique_ptr<const Analysis>& analysis = analyses_[set];
  if (analysis == nullptr) analysis = Analyse(SourcesOf(*path_or_null), zones_);
  return analysis.get();
}

const Analysis* Workspace::AnalysisOf(const std::string& uri) {
  const std::string path = PathOfUri(uri);
  return buffers_.contains(path) ? AnalysisOfSet(SetOf(path)) : nullptr;
}

std::string Workspace::UriOf(absl::string_view path) const {
  const auto buffer = buffers_.find(std::string(path));
  return buffer == buffers_.end() ? UriOfPath(path) : buffer->second.uri;
}

std::optional<int64_t> Workspace::VersionOf(absl::string_view path) const {
  const auto buffer = buffers_.find(std::string(path));
  if (buffer == buffers_.end()) return std::nullopt;
  return buffer->second.version;
}

}  // namespace sgl::tools
