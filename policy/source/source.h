// The texts of a policy set, and places in them. Every later phase points into
// these texts with spans; line and column exist only when a place is printed.
//
//   SourceSet sources;
//   FileId file = sources.Add("atlas.sgl", text);
//   Span word = {file, 0, 6};
//   sources.TextAt(word);              // "policy"
//   sources.Locate(file, word.begin);  // {line 1, column 1}

#ifndef POLICY_SOURCE_SOURCE_H_
#define POLICY_SOURCE_SOURCE_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sgl {

// Names one file of a SourceSet: its place in the order of adding. Invalid
// when negative.
enum class FileId : int32_t { kNone = -1 };

// A half-open range of bytes in one file. An empty span is a place between two
// bytes; one at the end of the file is fine.
struct Span {
  FileId file = FileId::kNone;
  int32_t begin = 0;
  int32_t end = 0;

  bool operator==(const Span&) const = default;
};

// Returns the smallest span that covers both. REQUIRES: one file.
inline Span Cover(Span left, Span right) {
  return {left.file, left.begin < right.begin ? left.begin : right.begin,
          left.end > right.end ? left.end : right.end};
}

// A place as people count: both from 1, the column in code points.
struct LineColumn {
  int line = 0;
  int column = 0;

  bool operator==(const LineColumn&) const = default;
};

// The name is how the file was given (a path, or a label in tests); the text
// is its bytes, which need not be well-formed.
struct SourceFile {
  std::string name;
  std::string text;
};

// Owns the files of one policy set. Texts never move once added, so views into
// them live as long as the set. Movable, not copyable. Not thread-safe while
// files are added; immutable, hence shareable, afterwards.
class SourceSet {
 public:
  // Takes a file in. A text longer than kSourceBytesMax (policy/limits.h) is
  // kept whole: the lexer reports it and reads nothing.
  FileId Add(std::string name, std::string text);

  int size() const { return static_cast<int>(files_.size()); }
  absl::string_view name(FileId file) const { return get(file).source.name; }
  absl::string_view text(FileId file) const { return get(file).source.text; }

  // Returns the text that a span covers. REQUIRES: the span lies inside.
  absl::string_view TextAt(Span span) const;

  // Returns where a byte stands. A byte inside a code point counts as that
  // code point. REQUIRES: 0 <= byte <= size of the text.
  LineColumn Locate(FileId file, int32_t byte) const;

  // Returns a line without its line break. REQUIRES: the line exists.
  absl::string_view Line(FileId file, int line) const;

  // Returns `name:line:column` of a span's begin.
  std::string Describe(Span span) const;

 private:
  struct File {
    SourceFile source;
    std::vector<int32_t> line_begins;  // byte offset of each line; never empty
  };

  const File& get(FileId file) const;

  std::vector<std::unique_ptr<const File>> files_;
};

}  // namespace sgl

#endif  // POLICY_SOURCE_SOURCE_H_
