// The candidates of one completion as they are gathered: kinds of names that
// could stand at the cursor, each added as a whole.

#ifndef TOOLS_SGL_LSP_CANDIDATES_H_
#define TOOLS_SGL_LSP_CANDIDATES_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"
#include "tools/sgl/lsp/cursor.h"
#include "tools/sgl/lsp/scope.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {

// The protocol's numbers.
enum class CompletionKind {
  kFunction = 3,
  kField = 5,
  kVariable = 6,
  kClass = 7,
  kProperty = 10,
  kValue = 12,
  kKeyword = 14,
  kEnumMember = 20,
  kConstant = 21,
};

struct Completion {
  std::string label;
  CompletionKind kind = CompletionKind::kKeyword;
  std::string detail;    // a type, or nothing
  std::string markdown;  // more about it, or nothing
  std::string filter;    // what typing is held against, if not the label
  std::string text;      // goes in place of `span`
  Span span;
};

// Borrows what it is made of, which must outlive it.
class Candidates {
 public:
  Candidates(const Analysis& analysis, const Scope& scope, const Cursor& cursor)
      : analysis_(analysis), scope_(scope), cursor_(cursor) {}

  // Adds what takes the place of the word at the cursor. The reference is good
  // until the next is added.
  Completion& Add(absl::string_view label, CompletionKind kind);

  // Adds a name that is quoted where it is no word.
  Completion& AddName(absl::string_view name, CompletionKind kind);

  // Add words of the language.
  void AddWords(std::initializer_list<absl::string_view> words);
  void AddKeywords(WordRole role);

  // Add what the set declares and names.
  void AddTypes();
  void AddSetConsts();
  void AddCodes();
  void AddRoles();
  void AddFields(const FieldDeclarations& fields);

  // Add the fields of a root, and the members of its field's `enum(A, B)`.
  void AddRootFields(absl::string_view root);
  void AddMembers(absl::string_view type);

  // Adds time zones, as texts.
  void AddZones(absl::Span<const std::string> names);

  // Takes away what can't stand within quotes: all but names and texts.
  void KeepQuotable();

  // Returns the candidates, which are gone from here.
  std::vector<Completion> Take() { return std::move(items_); }

 private:
  const Analysis& analysis_;
  const Scope& scope_;
  const Cursor& cursor_;
  std::vector<Completion> items_;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_CANDIDATES_H_
