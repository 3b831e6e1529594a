#include "policy/diagnostics/finding.h"

#include <utility>

namespace sgl {
namespace {

Place PlaceOf(const SourceSet& sources, Span span) {
  return {std::string(sources.name(span.file)),
          sources.Locate(span.file, span.begin),
          sources.Locate(span.file, span.end), span.begin, span.end};
}

}  // namespace

std::vector<Finding> Findings(const SourceSet& sources,
                              const Diagnostics& diagnostics) {
  std::vector<Finding> findings;
  std::vector<Diagnostic> sorted = diagnostics.Sorted();
  for (Diagnostic& diagnostic : sorted) {
    Finding finding;
    finding.severity = diagnostic.severity();
    finding.kind = KindName(diagnostic.kind);
    finding.place = PlaceOf(sources, diagnostic.span);
    finding.rendered = Render(sources, diagnostic);
    finding.message = std::move(diagnostic.message);
    for (Note& note : diagnostic.notes) {
      finding.notes.push_back(
          {PlaceOf(sources, note.span), std::move(note.message)});
    }
    finding.helps = std::move(diagnostic.helps);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace sgl
