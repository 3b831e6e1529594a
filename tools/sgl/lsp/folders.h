// Which files make up a policy set. `sgl check FOLDER` is told; an editor just
// opens a file, and the folder is to be found from there.
//
// The top folder of a file's set is the first of
// 1. the innermost of the roots that the editor's settings name;
// 2. the nearest folder, from the file's own upwards, where a file says
//    `default`: a set has one, so two of them are two sets;
// 3. the highest folder that is reached from the file's own by folders that
//    all hold `.sgl` files.
// The search goes up to the folder that is open in the editor, or to the file
// system's root for a file outside of it. The set is all files below the top
// whose top it is, so that every file belongs to one set.

#ifndef TOOLS_SGL_LSP_FOLDERS_H_
#define TOOLS_SGL_LSP_FOLDERS_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sgl::tools {

// A folder with more entries, or a tree with more below its top, is a home
// folder or a disk, not a policy; of it only the open buffers count. A walk
// over so many takes a fifth of a second on a slow machine.
inline constexpr size_t kEntriesMax = 50'000;

// Returns whether a text has a `default` item. Goes by lines, for a text that
// is being written seldom parses.
bool SaysDefault(absl::string_view text);

// Returns whether a path is a folder or lies below it.
bool IsBelow(absl::string_view path, absl::string_view folder);

// What lies on disk, read once and kept until `Forget`, and what the editor
// holds open beside it. Confined to one thread.
class Folders {
 public:
  // Takes absolute paths.
  void SetRoots(std::vector<std::string> roots) { roots_ = std::move(roots); }
  void AddOpened(const std::string& folder) { opened_.push_back(folder); }
  void RemoveOpened(const std::string& folder);

  // Takes the open buffers, saved or not: whether each says `default`.
  void SetBuffers(const std::map<std::string, bool>& says_default_by_path);

  void Forget();

  // Returns the top folder of a file's set. What is no path is a set by itself.
  std::string TopOf(const std::string& path);

  // Returns the texts on disk of the files of a set, by path; none where there
  // is more than a set may hold.
  std::map<std::string, std::string> TextsOf(const std::string& top);

 private:
  struct Folder {
    std::vector<std::string> files;  // `.sgl`, by path
    std::vector<std::string> folders;
    size_t entries = 0;
    bool says_default = false;
  };

  const Folder& Read(const std::string& path);
  std::string TopOfFolder(const std::string& folder);
  bool SaysDefaultIn(const std::string& folder);
  bool HoldsFiles(const std::string& folder);

  std::vector<std::string> roots_;
  std::vector<std::string> opened_;
  std::map<std::string, bool>
      buffers_;  // by folder: whether one says `default`
  std::map<std::string, Folder> folders_;
  std::map<std::string, std::string> texts_;
  size_t text_bytes_ = 0;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_FOLDERS_H_
