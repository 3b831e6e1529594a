// Diagnostics for programs: each with its places worked out, and without a
// reference to the sources.
//
//   for (const Finding& finding : Findings(sources, diagnostics)) {
//     // finding.kind == "UnknownField", finding.place.line == 3
//   }
//
// People read Render (diagnostic.h); `sgl check --json` and whatever shows
// diagnostics in its own way read these.

#ifndef POLICY_DIAGNOSTICS_FINDING_H_
#define POLICY_DIAGNOSTICS_FINDING_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"

namespace sgl {

// A half-open range of one file's text. Lines and columns count from 1, columns
// in code points; `begin` and `end` count bytes from 0. Where both ends are
// the same, something is missing there.
struct Place {
  std::string file;
  LineColumn from;
  LineColumn to;
  int32_t begin = 0;
  int32_t end = 0;
};

struct FindingNote {
  Place place;
  std::string message;
};

struct Finding {
  Severity severity = Severity::kError;
  absl::string_view kind;  // of static life
  Place place;
  std::string message;
  std::vector<FindingNote> notes;
  std::vector<std::string> helps;
  // As people read it: with the source line and a caret (Render).
  std::string rendered;
};

// Returns what was kept, by file and place.
std::vector<Finding> Findings(const SourceSet& sources,
                              const Diagnostics& diagnostics);

}  // namespace sgl

#endif  // POLICY_DIAGNOSTICS_FINDING_H_
