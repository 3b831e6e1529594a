#include "tools/sgl/lsp/payload_paths.h"

#include "tools/sgl/lsp/words.h"

namespace sgl::tools {

OnClause PayloadPaths::On() const {
  bool has_on = false;
  const std::vector<Name> names = cursor_.OnNames(&has_on);
  OnClause on = scope_.Resolve(has_on, names);
  on.is_any = IsOneOf(cursor_.WordAt(0), {"def", "test"});
  return on;
}

// Returns what a name that any/all/count binds left of a token walks.
FieldDeclarations PayloadPaths::ListOf(absl::string_view variable,
                                       int before) const {
  for (int i = before - 3; i >= 0; --i) {
    const bool binds = IsOneOf(cursor_.WordAt(i), {"any", "all", "count"}) &&
                       cursor_.IsWord(i + 1, variable) &&
                       cursor_.IsWord(i + 2, "in");
    if (!binds) continue;
    int end = i + 3;
    while (cursor_.IsKind(end + 1, TokenKind::kDot)) end += 2;
    int begin = 0;
    return Resolve(cursor_.PathAt(end, &begin), i);
  }
  return {};
}

FieldDeclarations PayloadPaths::Resolve(const std::vector<std::string>& path,
                                        int before) const {
  if (path.size() < 2) return {};
  FieldDeclarations next = path[0] == "payload"
                               ? scope_.PayloadFields(On())
                               : ElementFields(path[0], before);
  FieldDeclarations at;
  for (size_t i = 1; i < path.size(); ++i) {
    at = Scope::Named(next, path[i]);
    next = scope_.FieldsOf(at, false);
  }
  return at;
}

FieldDeclarations PayloadPaths::ElementFields(absl::string_view name,
                                              int before) const {
  return scope_.FieldsOf(ListOf(name, before), true);
}

}  // namespace sgl::tools
