#include "tools/sgl/lsp/workspace.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <filesystem>
#include <utility>

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

}  // namespace

std::string PathOfUri(absl::string_view uri) {
  if (!absl::StartsWith(uri, kFileScheme)) return std::string(uri);
  absl::string_view rest = uri.substr(kFileScheme.size());
  if (absl::StartsWith(rest, "localhost/")) rest.remove_prefix(9);
  if (!absl::StartsWith(rest, "/")) return std::string(uri);
  return fs::path(DecodePercent(rest)).lexically_normal().string();
}

std::string FolderOfPath(absl::string_view path) {
  std::string folder = fs::path(std::string(path)).lexically_normal().string();
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

std::string FolderOfUri(absl::string_view uri) {
  return FolderOfPath(PathOfUri(uri));
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

void Workspace::Touch(const std::string& set) {
  analyses_[set] = nullptr;
  changed_.insert(set);
}

void Workspace::PlaceBuffers() {
  std::map<std::string, bool> says_default_by_path;
  for (const auto& [path, buffer] : buffers_) {
    says_default_by_path[path] = buffer.says_default;
  }
  folders_.SetBuffers(says_default_by_path);
  for (auto& [path, buffer] : buffers_) {
    std::string set = folders_.TopOf(path);
    if (set == buffer.set) continue;
    if (!buffer.set.empty()) Touch(buffer.set);
    Touch(set);
    buffer.set = std::move(set);
  }
}

void Workspace::SetRoots(std::vector<std::string> roots) {
  folders_.SetRoots(std::move(roots));
  Refresh();
}

void Workspace::AddFolder(const std::string& uri) {
  folders_.AddOpened(FolderOfUri(uri));
  Refresh();
}

void Workspace::RemoveFolder(const std::string& uri) {
  folders_.RemoveOpened(FolderOfUri(uri));
  Refresh();
}

void Workspace::Open(const std::string& uri, std::string text,
                     std::optional<int64_t> version) {
  const std::string path = PathOfUri(uri);
  Buffer& buffer = buffers_[path];
  buffer.uri = uri;
  buffer.text = std::move(text);
  buffer.version = version;
  buffer.says_default = SaysDefault(buffer.text);
  Refresh();
}

bool Workspace::Change(const std::string& uri, std::string text,
                       std::optional<int64_t> version) {
  const auto found = buffers_.find(PathOfUri(uri));
  if (found == buffers_.end()) return false;
  Buffer& buffer = found->second;
  buffer.text = std::move(text);
  buffer.version = version;
  const bool says_default = SaysDefault(buffer.text);
  Touch(buffer.set);
  if (says_default != buffer.says_default) {
    buffer.says_default = says_default;
    PlaceBuffers();
  }
  return true;
}

void Workspace::Close(const std::string& uri) {
  const auto buffer = buffers_.find(PathOfUri(uri));
  if (buffer == buffers_.end()) return;
  Touch(buffer->second.set);
  buffers_.erase(buffer);
  Refresh();
}

const std::string* Workspace::TextOf(const std::string& uri) const {
  const auto buffer = buffers_.find(PathOfUri(uri));
  return buffer == buffers_.end() ? nullptr : &buffer->second.text;
}

void Workspace::Refresh() {
  folders_.Forget();
  PlaceBuffers();
  for (const auto& [path, buffer] : buffers_) Touch(buffer.set);
}

std::vector<std::string> Workspace::TakeChanged() {
  std::vector<std::string> sets(changed_.begin(), changed_.end());
  changed_.clear();
  return sets;
}

const Analysis* Workspace::AnalysisOfSet(const std::string& set) {
  const bool has_buffer =
      std::any_of(buffers_.begin(), buffers_.end(),
                  [&set](const auto& open) { return open.second.set == set; });
  if (!has_buffer) {
    analyses_.erase(set);
    return nullptr;
  }
  std::unique_ptr<const Analysis>& analysis = analyses_[set];
  if (analysis != nullptr) return analysis.get();
  std::map<std::string, std::string> texts = folders_.TextsOf(set);
  for (const auto& [path, buffer] : buffers_) {
    if (buffer.set == set) texts[path] = buffer.text;
  }
  std::vector<SourceFile> sources;
  for (auto& [path, text] : texts) sources.push_back({path, std::move(text)});
  analysis = Analyse(std::move(sources), zones_);
  return analysis.get();
}

const Analysis* Workspace::AnalysisOf(const std::string& uri) {
  const auto buffer = buffers_.find(PathOfUri(uri));
  return buffer == buffers_.end() ? nullptr : AnalysisOfSet(buffer->second.set);
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
