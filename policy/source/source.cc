#include "policy/source/source.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"

namespace sgl {
namespace {

// True for the second and later bytes of a code point.
bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

FileId SourceSet::Add(std::string name, std::string text) {
  auto file = std::make_unique<File>();
  file->source.name = std::move(name);
  file->source.text = std::move(text);
  file->line_begins.push_back(0);
  const std::string& kept = file->source.text;
  // INVARIANT: offsets fit an int32, because a text past kSourceBytesMax is
  // only ever pointed at by its first byte.
  const size_t end = std::min<size_t>(kept.size(), INT32_MAX - 1);
  for (size_t at = kept.find('\n'); at < end; at = kept.find('\n', at + 1)) {
    file->line_begins.push_back(static_cast<int32_t>(at + 1));
  }
  files_.push_back(std::move(file));
  return static_cast<FileId>(files_.size() - 1);
}

const SourceSet::File& SourceSet::get(FileId file) const {
  const auto index = static_cast<size_t>(file);
  SGL_CHECK(index < files_.size());
  return *files_[index];
}

absl::string_view SourceSet::TextAt(Span span) const {
  absl::string_view whole = text(span.file);
  SGL_CHECK(0 <= span.begin && span.begin <= span.end &&
            static_cast<size_t>(span.end) <= whole.size());
  return whole.substr(static_cast<size_t>(span.begin),
                      static_cast<size_t>(span.end - span.begin));
}

LineColumn SourceSet::Locate(FileId file, int32_t byte) const {
  const File& found = get(file);
  SGL_CHECK(0 <= byte && static_cast<size_t>(byte) <= found.source.text.size());
  auto after = std::upper_bound(found.line_begins.begin(),
                                found.line_begins.end(), byte);
  const auto line = static_cast<int>(after - found.line_begins.begin());
  const int32_t begin = *(after - 1);
  int column = 1;
  for (int32_t i = begin + 1; i <= byte; ++i) {
    const auto at = static_cast<size_t>(i);
    if (at == found.source.text.size() ||
        !IsContinuation(found.source.text[at])) {
      ++column;
    }
  }
  return {line, column};
}

absl::string_view SourceSet::Line(FileId file, int line) const {
  const File& found = get(file);
  SGL_CHECK(line >= 1 && static_cast<size_t>(line) <= found.line_begins.size());
  absl::string_view text = found.source.text;
  text.remove_prefix(
      static_cast<size_t>(found.line_begins[static_cast<size_t>(line - 1)]));
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

std::string SourceSet::Describe(Span span) const {
  const LineColumn at = Locate(span.file, span.begin);
  return absl::StrCat(name(span.file), ":", at.line, ":", at.column);
}

}  // namespace sgl
