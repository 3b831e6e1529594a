#include "policy/syntax/formatter.h"

#include "policy/syntax/format_tokens.h"
#include "policy/syntax/layout.h"
#include "policy/syntax/parser.h"

namespace sgl {

std::optional<std::string> Format(const SourceSet& sources, FileId file,
                                  Diagnostics& diagnostics) {
  Diagnostics own;
  const Ast ast = Parse(sources, file, own);
  for (const Diagnostic& found : own.all()) {
    auto report = diagnostics.Add(found.kind, found.span, found.message);
    for (const Note& note : found.notes) report.Note(note.span, note.message);
    for (const std::string& help : found.helps) report.Help(help);
  }
  if (own.error_count() > 0) return std::nullopt;
  return PrintLayout(BuildLayout(ReadFormatTokens(sources, file), ast));
}

}  // namespace sgl
