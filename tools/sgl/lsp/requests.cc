// What the server answers about a place in a file.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/syntax/formatter.h"
#include "tools/sgl/lsp/completion.h"
#include "tools/sgl/lsp/hover.h"
#include "tools/sgl/lsp/rename.h"
#include "tools/sgl/lsp/server.h"
#include "tools/sgl/lsp/symbols.h"

namespace sgl::tools {
namespace {

// The protocol's numbers for the kinds of what an outline shows.
constexpr int kOutlineStruct = 23;
constexpr int kOutlineConstant = 14;
constexpr int kOutlineFunction = 12;
constexpr int kOutlineEvent = 24;
constexpr int kOutlineMethod = 6;

Json RangeOf(const Analysis& analysis, Span span) {
  return RangeJson(LineTable(analysis.sources.text(span.file)), span.begin,
                   span.end);
}

// Returns the edit that turns one text into another, in whole lines: cursors
// and folds in the lines that stay are left alone.
Json LineEdits(absl::string_view before, absl::string_view after) {
  if (before == after) return Json::array();
  const size_t shorter = std::min(before.size(), after.size());
  size_t head = 0;
  for (size_t i = 0; i < shorter && before[i] == after[i]; ++i) {
    if (before[i] == '\n') head = i + 1;
  }
  size_t tail = 0;
  for (size_t i = 1; i <= shorter - head; ++i) {
    if (before[before.size() - i] != after[after.size() - i]) break;
    const bool starts_line =
        before.size() - i == head || before[before.size() - i - 1] == '\n';
    const bool is_line =
        after.size() - i == head || after[after.size() - i - 1] == '\n';
    if (starts_line && is_line) tail = i;
  }
  const LineTable lines(before);
  Json edit = {
      {"range", RangeJson(lines, static_cast<int32_t>(head),
                          static_cast<int32_t>(before.size() - tail))},
      {"newText", std::string(after.substr(head, after.size() - tail - head))}};
  return Json::array({std::move(edit)});
}

// Says why a file is left as it is.
std::string NotFormatted(const SourceSet& sources, const Diagnostic& error) {
  const absl::string_view name = sources.name(error.span.file);
  const LineTable lines(sources.text(error.span.file));
  return absl::StrCat(
      "`", name.substr(name.rfind('/') + 1), "` was not formatted: line ",
      lines.PositionOf(error.span.begin).line + 1, ": ", error.message);
}

}  // namespace

std::optional<LanguageServer::Reply> LanguageServer::FindPlace(
    const Json& params, bool needs_position, Place* place) {
  const std::optional<std::string> uri =
      StringAt(params, {"textDocument", "uri"});
  const std::optional<Position> position = PositionAt(params, {"position"});
  if (!uri.has_value() || (needs_position && !position.has_value())) {
    return Reply{{},
                 kParamsError,
                 needs_position ? "expected a `textDocument` and a `position`"
                                : "expected a `textDocument`"};
  }
  place->analysis = workspace_.AnalysisOf(*uri);
  if (place->analysis == nullptr) {
    return Reply{{}, kParamsError, absl::StrCat("`", *uri, "` is not open")};
  }
  place->file = place->analysis->Find(PathOfUri(*uri));
  if (needs_position) {
    place->byte =
        LineTable(place->analysis->sources.text(place->file)).ByteOf(*position);
  }
  return std::nullopt;
}

Json LanguageServer::LocationJson(const Analysis& analysis, Span span) const {
  return {{"uri", workspace_.UriOf(analysis.sources.name(span.file))},
          {"range", RangeOf(analysis, span)}};
}

Json LanguageServer::DiagnosticJson(const Analysis& analysis,
                                    const LineTable& lines,
                                    const Diagnostic& diagnostic) const {
  std::string message = diagnostic.message;
  Json related = Json::array();
  for (const Note& note : diagnostic.notes) {
    if (has_related_information_ && note.span.file != FileId::kNone) {
      related.push_back({{"location", LocationJson(analysis, note.span)},
                         {"message", note.message}});
    } else {
      absl::StrAppend(&message, "\nnote: ", note.message);
    }
  }
  for (const std::string& help : diagnostic.helps) {
    absl::StrAppend(&message, "\nhelp: ", help);
  }
  Json json = {
      {"range", RangeJson(lines, diagnostic.span.begin, diagnostic.span.end)},
      {"severity", diagnostic.severity() == Severity::kError ? 1 : 2},
      {"code", std::string(KindName(diagnostic.kind))},
      {"source", "sgl"},
      {"message", std::move(message)}};
  if (!related.empty()) json["relatedInformation"] = std::move(related);
  return json;
}

LanguageServer::Reply LanguageServer::ShowHover(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const std::optional<Hover> hover =
      HoverAt(*place.analysis, place.file, place.byte);
  if (!hover.has_value()) return {};
  return {{{"contents", MarkdownJson(hover->markdown)},
           {"range", RangeOf(*place.analysis, hover->span)}},
          0,
          ""};
}

LanguageServer::Reply LanguageServer::FindDefinition(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const std::vector<Symbol> symbols =
      CollectSymbols(*place.analysis, place.file);
  const Symbol* const symbol = FindSymbol(symbols, place.byte);
  Reply reply = {Json::array(), 0, ""};
  if (symbol == nullptr) return reply;
  for (const Span& span : symbol->declarations) {
    reply.result.push_back(LocationJson(*place.analysis, span));
  }
  return reply;
}

LanguageServer::Reply LanguageServer::FindReferences(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const Analysis& analysis = *place.analysis;
  const std::vector<Symbol> symbols = CollectSymbols(analysis, place.file);
  const Symbol* const wanted = FindSymbol(symbols, place.byte);
  Reply reply = {Json::array(), 0, ""};
  if (wanted == nullptr || wanted->declarations.empty()) return reply;
  const Json* const declares =
      JsonAt(params, {"context", "includeDeclaration"});
  const bool with_declaration =
      declares == nullptr || !declares->is_boolean() || declares->get<bool>();
  for (const Ast& ast : analysis.files) {
    for (const Symbol& symbol : CollectSymbols(analysis, ast.file)) {
      const auto& places = symbol.declarations;
      const bool is_same =
          std::find_first_of(places.begin(), places.end(),
                             wanted->declarations.begin(),
                             wanted->declarations.end()) != places.end();
      const bool is_declaration =
          std::find(places.begin(), places.end(), symbol.span) != places.end();
      if (is_same && (with_declaration || !is_declaration)) {
        reply.result.push_back(LocationJson(analysis, symbol.span));
      }
    }
  }
  return reply;
}

LanguageServer::Reply LanguageServer::ListSymbols(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, false, &place)) return *error;
  const Ast& ast = place.analysis->ast(place.file);
  const LineTable lines(place.analysis->sources.text(place.file));
  Reply reply = {Json::array(), 0, ""};
  const auto add = [&](const std::string& name, Span span, int kind) {
    if (name.empty()) return;
    const Json range = RangeJson(lines, span.begin, span.end);
    reply.result.push_back({{"name", name},
                            {"kind", kind},
                            {"range", range},
                            {"selectionRange", range}});
  };
  for (const BindingSyntax& item : ast.consts) {
    add(item.name.text, item.name.span, kOutlineConstant);
  }
  for (const BindingSyntax& item : ast.defs) {
    add(item.name.text, item.name.span, kOutlineFunction);
  }
  for (const IntentSyntax& item : ast.intents) {
    add(item.is_star ? "*" : item.name.text, item.name.span, kOutlineStruct);
  }
  for (const RuleSyntax& rule : ast.rules) {
    add(rule.code.text, rule.code.span, kOutlineEvent);
  }
  for (const LimitSyntax& limit : ast.limits) {
    add(limit.rule.code.text, limit.rule.code.span, kOutlineEvent);
  }
  for (const TestSyntax& test : ast.tests) {
    add(test.name, test.name_span, kOutlineMethod);
  }
  for (const AssertSyntax& item : ast.asserts) {
    add(item.name, item.name_span, kOutlineMethod);
  }
  return reply;
}

LanguageServer::Reply LanguageServer::Complete(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const LineTable lines(place.analysis->sources.text(place.file));
  Json items = Json::array();
  for (const Completion& item :
       CompleteAt(*place.analysis, place.file, place.byte,
                  workspace_.zones().Names())) {
    Json json = {{"label", item.label},
                 {"kind", static_cast<int>(item.kind)},
                 {"sortText", absl::StrFormat("%05d", items.size())},
                 {"textEdit",
                  {{"range", RangeJson(lines, item.span.begin, item.span.end)},
                   {"newText", item.text}}}};
    if (!item.detail.empty()) json["detail"] = item.detail;
    if (!item.filter.empty()) json["filterText"] = item.filter;
    if (!item.markdown.empty()) {
      json["documentation"] = MarkdownJson(item.markdown);
    }
    items.push_back(std::move(json));
  }
  return {{{"isIncomplete", false}, {"items", std::move(items)}}, 0, ""};
}

LanguageServer::Reply LanguageServer::FormatFile(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, false, &place)) return *error;
  Diagnostics diagnostics;
  const std::optional<std::string> text =
      Format(place.analysis->sources, place.file, diagnostics);
  if (!text.has_value()) {
    const std::vector<Diagnostic> found = diagnostics.Sorted();
    if (!found.empty()) {
      ShowWarning(NotFormatted(place.analysis->sources, found.front()));
    }
    return {};
  }
  return {LineEdits(place.analysis->sources.text(place.file), *text), 0, ""};
}

LanguageServer::Reply LanguageServer::PrepareRename(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const RenameTarget target =
      FindRenameTarget(*place.analysis, place.file, place.byte);
  if (!target.error.empty()) return {{}, kRequestFailed, target.error};
  return {{{"range", RangeOf(*place.analysis, target.span)},
           {"placeholder", target.name}},
          0,
          ""};
}

LanguageServer::Reply LanguageServer::Rename(const Json& params) {
  Place place;
  if (auto error = FindPlace(params, true, &place)) return *error;
  const std::optional<std::string> name = StringAt(params, {"newName"});
  if (!name.has_value()) return {{}, kParamsError, "expected a `newName`"};
  const Analysis& analysis = *place.analysis;
  const RenameTarget target =
      FindRenameTarget(analysis, place.file, place.byte);
  if (!target.error.empty()) return {{}, kRequestFailed, target.error};
  const std::string refusal =
      RefuseName(analysis, target, *name, workspace_.zones());
  if (!refusal.empty()) return {{}, kRequestFailed, refusal};
  const LineTable lines(analysis.sources.text(place.file));
  Json edits = Json::array();
  for (const Span& use : target.uses) {
    edits.push_back(
        {{"range", RangeJson(lines, use.begin, use.end)}, {"newText", *name}});
  }
  const std::string uri = workspace_.UriOf(analysis.sources.name(place.file));
  return {{{"changes", {{uri, std::move(edits)}}}}, 0, ""};
}

}  // namespace sgl::tools
