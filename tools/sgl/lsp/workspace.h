// The files that the server looks at: the editor's open buffers, and beside
// them what lies on disk. Which of them make up a policy set folders.h says;
// open buffers count in place of what was last saved.

#ifndef TOOLS_SGL_LSP_WORKSPACE_H_
#define TOOLS_SGL_LSP_WORKSPACE_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/sgl/lsp/analysis.h"
#include "tools/sgl/lsp/folders.h"

namespace sgl::tools {

// Returns the path that a `file:` URI names, absolute and without `..`; any
// other URI names itself.
std::string PathOfUri(absl::string_view uri);

// Return the path of a folder, without a `/` at its end.
std::string FolderOfUri(absl::string_view uri);
std::string FolderOfPath(absl::string_view path);

// Returns the URI of an absolute path; what is no path is a URI already.
std::string UriOfPath(absl::string_view path);

// Buffers and analyses. Confined to one thread.
class Workspace {
 public:
  // Set the folders where sets begin, and those open in the editor.
  void SetRoots(std::vector<std::string> roots);
  void AddFolder(const std::string& uri);
  void RemoveFolder(const std::string& uri);

  // Takes over, changes and gives up an open buffer. `Change` of what is not
  // open is ignored (false).
  void Open(const std::string& uri, std::string text,
            std::optional<int64_t> version);
  bool Change(const std::string& uri, std::string text,
              std::optional<int64_t> version);
  void Close(const std::string& uri);

  // Returns the text of an open buffer, or null.
  const std::string* TextOf(const std::string& uri) const;

  // Forgets what was read of disk.
  void Refresh();

  // Returns the analysis of a buffer's set as it stands now; null where the
  // buffer is not open. Valid until the next change.
  const Analysis* AnalysisOf(const std::string& uri);

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
    std::string set;
    bool says_default = false;
  };

  // Finds the sets of the buffers anew. Where one has moved, both have changed.
  void PlaceBuffers();
  void Touch(const std::string& set);

  Folders folders_;
  std::map<std::string, Buffer> buffers_;  // by path
  // By set; null where it must be made anew.
  std::map<std::string, std::unique_ptr<const Analysis>> analyses_;
  std::set<std::string> changed_;
  ZoneCache zones_;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_WORKSPACE_H_
