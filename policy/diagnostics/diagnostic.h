// What a policy's author is told: each mistake with its kind, its place and,
// where there is one, the advice. Phases report into a Diagnostics sink and go
// on; nothing here ever becomes an absl::Status.
//
//   Diagnostics diagnostics;
//   diagnostics.Add(DiagnosticKind::kUnknownField, span,
//                   "unknown field `amuont` of `payload`")
//       .Help("did you mean `amount`?");
//   std::string text = RenderAll(sources, diagnostics);

#ifndef POLICY_DIAGNOSTICS_DIAGNOSTIC_H_
#define POLICY_DIAGNOSTICS_DIAGNOSTIC_H_

#include <absl/container/flat_hash_set.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/source/source.h"

namespace sgl {

// A warning never changes what a policy does, nor the exit status.
enum class Severity : uint8_t { kError, kWarning };

// One enumerator for each line of kinds.def.
enum class DiagnosticKind : uint8_t {
#define SGL_DIAGNOSTIC(name, severity) k##name,
#include "policy/diagnostics/kinds.def"
};

// Returns the kind's stable name, without the k.
absl::string_view KindName(DiagnosticKind kind);
Severity KindSeverity(DiagnosticKind kind);

// Returns all kinds in the order of kinds.def.
absl::Span<const DiagnosticKind> AllKinds();

// A second place that explains the first.
struct Note {
  Span span;
  std::string message;
};

// One mistake. The message states the situation in lower case, without a full
// stop, user text in backticks.
struct Diagnostic {
  DiagnosticKind kind = DiagnosticKind::kUnexpectedToken;
  Span span;
  std::string message;
  std::vector<Note> notes;
  std::vector<std::string> helps;

  Severity severity() const { return KindSeverity(kind); }
};

// Collects diagnostics of one run. The same kind at the same place is kept
// once: what goes wrong in a def is shown there, however many rules use it.
// After kDiagnosticsMax the rest is only counted.
class Diagnostics {
 public:
  // Lets notes and advice be added to what was just reported; a report that
  // was not kept swallows them. Valid until the next Report.
  class Report {
   public:
    explicit Report(Diagnostic* diagnostic_or_null)
        : diagnostic_or_null_(diagnostic_or_null) {}
    Report& Note(Span span, std::string message);
    Report& Help(std::string message);

   private:
    Diagnostic* diagnostic_or_null_;
  };

  Report Add(DiagnosticKind kind, Span span, std::string message);

  // Returns what was kept, in the order of reporting.
  const std::vector<Diagnostic>& all() const { return all_; }

  // Returns what was kept by file and place; equal places in the order of
  // reporting.
  std::vector<Diagnostic> Sorted() const;

  // Count everything reported, kept or not, without repetitions.
  int error_count() const { return error_count_; }
  int warning_count() const { return warning_count_; }

 private:
  struct Place {
    DiagnosticKind kind;
    Span span;
    bool operator==(const Place&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const Place& place) {
      return H::combine(std::move(state), place.kind, place.span.file,
                        place.span.begin, place.span.end);
    }
  };

  std::vector<Diagnostic> all_;
  absl::flat_hash_set<Place> seen_;
  int error_count_ = 0;
  int warning_count_ = 0;
};

// Returns one diagnostic as text, ending in a line break:
//
//   atlas.sgl:4:9: error: unknown field `amuont` of `payload` [UnknownField]
//     when payload.amuont > 10
//                  ^~~~~~
//     help: did you mean `amount`?
std::string Render(const SourceSet& sources, const Diagnostic& diagnostic);

// Returns all of them, by file and place, and a line on what the cap cut off.
std::string RenderAll(const SourceSet& sources, const Diagnostics& diagnostics);

}  // namespace sgl

#endif  // POLICY_DIAGNOSTICS_DIAGNOSTIC_H_
