// The files that the server looks at: the editor's open buffers, and beside
// them what lies on disk. A policy set is the `.sgl` files of one folder, with
// the open buffers in place of what was last saved.

#ifndef TOOLS_SGL_LSP_WORKSPACE_H_
#define TOOLS_SGL_LSP_WORKSPACE_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"

namespace sgl::tools {

// Returns the path that a `file:` URI names, absolute and without `..`; any
// other URI names itself.
std::string PathOfUri(absl::string_view uri);

// Returns the URI of an absolute path; what is no path is a URI already.
std::string UriOfPath(absl::string_view path);

// Buffers and analyses. Confined to one thread.
class Workspace {
 public:
  // Takes over, changes and gives up an open buffer. `Change` of what is not
  // open is ignored (false).
  void Open(const std::string& uri, std::string text,
            std::optional<int64_t> version);
  bool Change(const std::string& uri, std::string text,
              std::optional<int64_t> version);
  void Close(const std::string& uri);

  // Forgets what was read of disk.
  void Refresh();

  // Returns the analysis of a buffer's set as it stands now; null where the
  // buffer is not open. Valid until the next change.
  const Analysis* AnalysisOf(const std::string& uri);

  // Returns the sources of the set with this file, open or not.
  std::vector<SourceFile> SourcesOf(const std::string& path) const;

  // Returns the sets that have an open buffer or had one, and changed since
  // the last call.
  std::vector<std::string> TakeChanged();

  // Returns the analysis of a set; null where no buffer of it is open.
  const Analysis* AnalysisOfSet(const std::string& set);

  // Returns the URI under which the editor knows a file.
  std::string UriOf(absl::string_view path) const;
  std::optional<int64_t> VersionOf(absl::string_view path) const;

  ZoneCache& zones() { return zones_; }

 private:
  struct Buffer {
    std::string uri;
    std::string text;
    std::optional<int64_t> version;
  };

  void Touch(const std::string& path);

  std::map<std::string, Buffer, std::less<>> buffers_;  // by path
  // By set; null where it must be made anew.
  std::map<std::string, std::unique_ptr<const Analysis>> analyses_;
  std::map<std::string, bool> changed_;
  ZoneCache zones_;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_WORKSPACE_H_
