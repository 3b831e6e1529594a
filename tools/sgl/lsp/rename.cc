#include "tools/sgl/lsp/rename.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "policy/lex/lexer.h"
#include "policy/syntax/parser.h"
#include "tools/sgl/lsp/symbols.h"

namespace sgl::tools {
namespace {

// Returns what a name is in this file already; empty if it is free.
std::string TakenBy(const Analysis& analysis, FileId file,
                    absl::string_view name) {
  const Scope scope(analysis, file);
  if (scope.FindConst(name) != nullptr) return "a const of this file";
  if (scope.FindDef(name) != nullptr) return "a def of this file";
  if (!scope.FindType(name).empty()) return "an intent type";
  for (const Symbol& symbol : CollectSymbols(analysis, file)) {
    if (symbol.name != name) continue;
    if (symbol.kind == SymbolKind::kVariable) return "a bound name";
    if (symbol.kind == SymbolKind::kName) return "a symbol that rules use";
  }
  for (const Ast& ast : analysis.files) {
    for (const TypeExpr& type : ast.types) {
      for (const Name& member : type.members) {
        if (member.text == name) return "a member of an enum";
      }
    }
  }
  return "";
}

std::string Replaced(const Analysis& analysis, const RenameTarget& target,
                     absl::string_view name) {
  const absl::string_view text = analysis.sources.text(target.span.file);
  std::string replaced;
  size_t from = 0;
  for (const Span& use : target.uses) {
    const auto begin = static_cast<size_t>(use.begin);
    absl::StrAppend(&replaced, text.substr(from, begin - from), name);
    from = static_cast<size_t>(use.end);
  }
  absl::StrAppend(&replaced, text.substr(from));
  return replaced;
}

// Checks the set as it would be. The language has contextual words, which only
// the parser knows in full.
bool ChecksAsBefore(const Analysis& analysis, const RenameTarget& target,
                    absl::string_view name, ZoneCache& zones) {
  std::vector<SourceFile> sources;
  for (int i = 0; i < analysis.sources.size(); ++i) {
    const auto file = static_cast<FileId>(i);
    sources.push_back({std::string(analysis.sources.name(file)),
                       file == target.span.file
                           ? Replaced(analysis, target, name)
                           : std::string(analysis.sources.text(file))});
  }
  const std::unique_ptr<const Analysis> renamed =
      Analyse(std::move(sources), zones);
  const std::vector<Symbol> symbols =
      CollectSymbols(*renamed, target.span.file);
  const auto uses = std::count_if(
      symbols.begin(), symbols.end(), [&name](const Symbol& symbol) {
        return symbol.binding != nullptr && symbol.name == name;
      });
  return static_cast<size_t>(uses) == target.uses.size() &&
         renamed->diagnostics.error_count() ==
             analysis.diagnostics.error_count() &&
         renamed->diagnostics.warning_count() ==
             analysis.diagnostics.warning_count();
}

}  // namespace

RenameTarget FindRenameTarget(const Analysis& analysis, FileId file,
                              int32_t byte) {
  RenameTarget target;
  const std::vector<Symbol> symbols = CollectSymbols(analysis, file);
  const Symbol* const found = FindSymbol(symbols, byte);
  if (found == nullptr || found->binding == nullptr) {
    target.error = "only a const or a def can be renamed";
    return target;
  }
  target.span = found->span;
  target.name = found->name;
  for (const Symbol& symbol : symbols) {
    if (symbol.binding == found->binding) target.uses.push_back(symbol.span);
  }
  std::sort(target.uses.begin(), target.uses.end(),
            [](const Span& left, const Span& right) {
              return left.begin < right.begin;
            });
  target.uses.erase(std::unique(target.uses.begin(), target.uses.end()),
                    target.uses.end());
  if (!Parses(analysis, file)) {
    target.error = absl::StrCat("can't rename `", target.name,
                                "`: the file has syntax errors, and uses in "
                                "what can't be read would be missed");
  }
  return target;
}

std::string RefuseName(const Analysis& analysis, const RenameTarget& target,
                       absl::string_view name, ZoneCache& zones) {
  const auto refuse = [&target, name](absl::string_view reason) {
    return absl::StrCat("can't rename `", target.name, "` to `", name,
                        "`: ", reason);
  };
  if (name == target.name) return "";
  if (!IsWord(name)) {
    return refuse("a name has letters, digits and `_`, a digit not first");
  }
  if (IsReservedWord(name)) return refuse("it is a word of the language");
  const std::string taken = TakenBy(analysis, target.span.file, name);
  if (!taken.empty()) return refuse(absl::StrCat("it is ", taken));
  if (!ChecksAsBefore(analysis, target, name, zones)) {
    return refuse("the file would no longer mean the same");
  }
  return "";
}

}  // namespace sgl::tools
