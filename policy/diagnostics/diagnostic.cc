#include "policy/diagnostics/diagnostic.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "policy/limits.h"

namespace sgl {
namespace {

constexpr DiagnosticKind kAllKinds[] = {
#define SGL_DIAGNOSTIC(name, severity) DiagnosticKind::k##name,
#include "policy/diagnostics/kinds.def"
};

constexpr const char* kKindNames[] = {
#define SGL_DIAGNOSTIC(name, severity) #name,
#include "policy/diagnostics/kinds.def"
};

constexpr Severity kKindSeverities[] = {
#define SGL_DIAGNOSTIC(name, severity) Severity::severity,
#include "policy/diagnostics/kinds.def"
};

// A line longer than this is shown as a window around the caret.
constexpr int kLineColumnsMax = 120;
constexpr int kColumnsBefore = 50;

// Stands for what can't be shown: control characters, bytes that are no UTF-8.
constexpr const char* kUnshowable = "\xEF\xBF\xBD";

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Returns how many bytes a code point that begins so has; 0 for none.
size_t SequenceLength(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte >= 0xC2 && byte < 0xE0) return 2;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  if (byte >= 0xF0 && byte < 0xF5) return 4;
  return 0;
}

// Returns what a terminal may be shown of one code point.
std::string Shown(absl::string_view glyph) {
  const auto first = static_cast<unsigned char>(glyph[0]);
  if (first == '\t') return " ";
  if (first < 0x20 || first == 0x7F) return kUnshowable;
  if (SequenceLength(glyph[0]) != glyph.size()) return kUnshowable;
  // U+0080..U+009F are control characters too, and U+202A..E, U+2066..9 turn
  // the direction of the text around.
  if (first == 0xC2 && static_cast<unsigned char>(glyph[1]) < 0xA0) {
    return kUnshowable;
  }
  if (absl::string_view("\xE2\x80\xAA") <= glyph &&
      glyph <= absl::string_view("\xE2\x80\xAE")) {
    return kUnshowable;
  }
  if (absl::string_view("\xE2\x81\xA6") <= glyph &&
      glyph <= absl::string_view("\xE2\x81\xA9")) {
    return kUnshowable;
  }
  return std::string(glyph);
}

// Returns one string a column, in the way that SourceSet counts columns.
// Lines of megabytes exist: nothing past `columns_max` is looked at.
std::vector<std::string> Glyphs(absl::string_view line, int columns_max) {
  std::vector<std::string> glyphs;
  size_t begin = 0;
  while (begin < line.size() && static_cast<int>(glyphs.size()) < columns_max) {
    size_t end = begin + 1;
    while (end < line.size() && IsContinuation(line[end])) ++end;
    glyphs.push_back(Shown(line.substr(begin, end - begin)));
    begin = end;
  }
  return glyphs;
}

// Returns text that came from a user, as part of a message: one line, and
// nothing that a terminal would act on.
std::string OneLine(absl::string_view text) {
  std::string out;
  for (const std::string& glyph : Glyphs(text, static_cast<int>(text.size()))) {
    out += glyph;
  }
  return out;
}

// Appends the source line of a span and the carets below it.
void AppendExcerpt(const SourceSet& sources, Span span, absl::string_view pad,
                   std::string* out) {
  const LineColumn at = sources.Locate(span.file, span.begin);
  const LineColumn last = sources.Locate(span.file, span.end);
  const absl::string_view line = sources.Line(span.file, at.line);
  const int shown_max = at.column + kLineColumnsMax;
  std::vector<std::string> glyphs = Glyphs(line, shown_max);
  const int width = static_cast<int>(glyphs.size());

  int first = 1;  // the leftmost column shown
  bool is_cut = false;
  if (width > kLineColumnsMax) {
    first = std::max(1, at.column - kColumnsBefore);
    is_cut = first + kLineColumnsMax <= width;
  }
  const int stop = is_cut ? first + kLineColumnsMax : width + 1;
  absl::StrAppend(out, pad, first > 1 ? "..." : "");
  for (int column = first; column < stop; ++column) {
    *out += glyphs[static_cast<size_t>(column - 1)];
  }
  absl::StrAppend(out, is_cut ? "..." : "", "\n");

  int end = last.line == at.line ? last.column : width + 1;
  end = std::min(std::max(end, at.column + 1), std::max(stop, at.column + 1));
  out->append(pad.size() + (first > 1 ? 3 : 0), ' ');
  out->append(static_cast<size_t>(at.column - first), ' ');
  *out += '^';
  out->append(static_cast<size_t>(end - at.column - 1), '~');
  *out += '\n';
}

}  // namespace

absl::string_view KindName(DiagnosticKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

Severity KindSeverity(DiagnosticKind kind) {
  return kKindSeverities[static_cast<size_t>(kind)];
}

absl::Span<const DiagnosticKind> AllKinds() { return kAllKinds; }

Diagnostics::Report& Diagnostics::Report::Note(Span span, std::string message) {
  if (diagnostic_or_null_ != nullptr) {
    diagnostic_or_null_->notes.push_back({span, std::move(message)});
  }
  return *this;
}

Diagnostics::Report& Diagnostics::Report::Help(std::string message) {
  if (diagnostic_or_null_ != nullptr) {
    diagnostic_or_null_->helps.push_back(std::move(message));
  }
  return *this;
}

Diagnostics::Report Diagnostics::Add(DiagnosticKind kind, Span span,
                                     std::string message) {
  if (!seen_.insert(Place{kind, span}).second) return Report(nullptr);
  ++(KindSeverity(kind) == Severity::kError ? error_count_ : warning_count_);
  if (all_.size() >= static_cast<size_t>(kDiagnosticsMax)) {
    return Report(nullptr);
  }
  Diagnostic added;
  added.kind = kind;
  added.span = span;
  added.message = std::move(message);
  all_.push_back(std::move(added));
  return Report(&all_.back());
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  std::vector<Diagnostic> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Diagnostic& left, const Diagnostic& right) {
                     return std::tie(left.span.file, left.span.begin) <
                            std::tie(right.span.file, right.span.begin);
                   });
  return sorted;
}

std::string Render(const SourceSet& sources, const Diagnostic& diagnostic) {
  std::string out = absl::StrCat(
      OneLine(sources.Describe(diagnostic.span)),
      diagnostic.severity() == Severity::kError ? ": error: " : ": warning: ",
      OneLine(diagnostic.message), " [", KindName(diagnostic.kind), "]\n");
  AppendExcerpt(sources, diagnostic.span, "  ", &out);
  for (const Note& note : diagnostic.notes) {
    absl::StrAppend(&out, "  ", OneLine(sources.Describe(note.span)),
                    ": note: ", OneLine(note.message), "\n");
    AppendExcerpt(sources, note.span, "    ", &out);
  }
  for (const std::string& help : diagnostic.helps) {
    absl::StrAppend(&out, "  help: ", OneLine(help), "\n");
  }
  return out;
}

std::string RenderAll(const SourceSet& sources,
                      const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.Sorted()) {
    out += Render(sources, diagnostic);
  }
  const int total = diagnostics.error_count() + diagnostics.warning_count();
  const int hidden = total - static_cast<int>(diagnostics.all().size());
  if (hidden > 0) {
    absl::StrAppend(&out, hidden, " more not shown; the first ",
                    kDiagnosticsMax, " found are above\n");
  }
  return out;
}

}  // namespace sgl
