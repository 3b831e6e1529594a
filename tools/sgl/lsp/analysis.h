// What the server knows of one policy set at one moment: the texts, their
// trees, and the diagnostics that `sgl check` gives for the same files.

#ifndef TOOLS_SGL_LSP_ANALYSIS_H_
#define TOOLS_SGL_LSP_ANALYSIS_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/zones.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"

namespace sgl::tools {

// Keeps the time zones last loaded, so that typing does not read the time-zone
// data with every key. Confined to one thread.
class ZoneCache {
 public:
  const Zones& Load(const std::vector<std::string>& names);

  // Returns the names of all zones, sorted.
  const std::vector<std::string>& Names();

 private:
  std::optional<std::vector<std::string>> names_;
  Zones zones_;
  std::vector<std::string> all_;  // empty until wanted
};

// Immutable once made. Trees and spans belong to `sources`.
struct Analysis {
  SourceSet sources;       // by name
  std::vector<Ast> files;  // one a source
  Diagnostics diagnostics;

  // Returns the file of that name, or kNone.
  FileId Find(absl::string_view name) const;

  const Ast& ast(FileId file) const { return files[static_cast<size_t>(file)]; }
};

// Parses and checks a policy set.
std::unique_ptr<const Analysis> Analyse(std::vector<SourceFile> sources,
                                        ZoneCache& zones);

// Returns whether a file parses.
bool Parses(const Analysis& analysis, FileId file);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_ANALYSIS_H_
