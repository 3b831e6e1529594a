#include "tools/sgl/lsp/hover.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <algorithm>
#include <vector>

#include "policy/lex/lexer.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {
namespace {

// Hovers are windows of some lines; a set of 10,000 accounts is cut short.
constexpr size_t kCodeBytesMax = 2'000;

// Declarations shown for one name; a field of every type could have hundreds.
constexpr size_t kDeclarationsMax = 5;

std::string Fence(absl::string_view code) {
  std::string text(code.substr(0, kCodeBytesMax));
  if (text.size() < code.size()) {
    // A cut inside a code point would be no UTF-8.
    while (!text.empty() && (text.back() & 0x80) != 0) text.pop_back();
    text += " …";
  }
  return absl::StrCat("```sgl\n", text, "\n```");
}

// Line breaks of a comment stay as they are written.
void AppendComment(const SourceSet& sources, Span name, std::string* text) {
  const std::string comment = DocComment(sources, name);
  if (!comment.empty()) absl::StrAppend(text, "\n\n", comment);
}

std::string DescribeBinding(const Analysis& analysis, const Symbol& symbol) {
  const BindingSyntax& item = *symbol.binding;
  const FileId file = item.name.span.file;
  const Expr& value = analysis.ast(file).expr(item.value);
  std::string text = Fence(
      absl::StrCat(symbol.kind == SymbolKind::kConst ? "const " : "def ",
                   item.name.text, " = ", analysis.sources.TextAt(value.span)));
  AppendComment(analysis.sources, item.name.span, &text);
  return text;
}

std::string DescribeType(const Analysis& analysis,
                         const TypeDeclaration& type) {
  std::string code = absl::StrCat(
      "intent ", analysis.sources.TextAt(type.item->name.span), " {");
  for (const FieldSyntax& field : type.item->fields) {
    absl::StrAppend(&code, "\n  ", analysis.sources.TextAt(field.name.span),
                    ": ", TypeText(analysis.sources, *type.ast, field));
  }
  absl::StrAppend(&code, type.item->fields.empty() ? "}" : "\n}");
  std::string text = Fence(code);
  AppendComment(analysis.sources, type.item->name.span, &text);
  return text;
}

std::string DescribeRoot(absl::string_view name) {
  const RootWord* const root = FindRoot(name);
  if (root == nullptr) return "";
  const std::string type =
      root->type.empty() ? "" : absl::StrCat(": ", root->type);
  return absl::StrCat(Fence(absl::StrCat(root->name, type)), "\n\n",
                      root->summary);
}

// Describes the keyword at a byte: a word that is no field's name.
std::optional<Hover> HoverKeyword(const Analysis& analysis, FileId file,
                                  int32_t byte) {
  Diagnostics ignored;
  Lexer lexer(analysis.sources, file, ignored);
  TokenKind before = TokenKind::kEnd;
  Token token = lexer.Next();
  while (token.kind != TokenKind::kEnd && token.span.end <= byte) {
    before = token.kind;
    token = lexer.Next();
  }
  if (token.kind != TokenKind::kWord || token.span.begin > byte) {
    return std::nullopt;
  }
  const Span span = token.span;
  const Keyword* const keyword = FindKeyword(token.word);
  if (keyword == nullptr || before == TokenKind::kDot) return std::nullopt;
  const bool is_prefix = keyword->role == WordRole::kPrefix;
  if (!is_prefix && lexer.Next().kind == TokenKind::kColon) return std::nullopt;
  return Hover{span,
               absl::StrCat(Fence(keyword->name), "\n\n", keyword->summary)};
}

}  // namespace

std::string DescribeField(const Analysis& analysis,
                          const FieldDeclaration& field) {
  const std::string name(analysis.sources.TextAt(field.field->name.span));
  const absl::string_view type =
      TypeText(analysis.sources, *field.ast, *field.field);
  std::string text =
      absl::StrCat(Fence(absl::StrCat(name, ": ", type)), "\n\n",
                   field.owner == "*" ? "of any intent"
                                      : absl::StrCat("of `", field.owner, "`"));
  AppendComment(analysis.sources, field.field->name.span, &text);
  return text;
}

std::string Describe(const Analysis& analysis, const Symbol& symbol) {
  std::vector<std::string> parts;
  switch (symbol.kind) {
    case SymbolKind::kConst:
    case SymbolKind::kDef:
      return DescribeBinding(analysis, symbol);
    case SymbolKind::kType:
      for (const TypeDeclaration& type : symbol.types) {
        parts.push_back(DescribeType(analysis, type));
      }
      break;
    case SymbolKind::kField:
      for (const FieldDeclaration& field : symbol.fields) {
        parts.push_back(DescribeField(analysis, field));
      }
      break;
    case SymbolKind::kVariable:
      for (const FieldDeclaration& field : symbol.fields) {
        parts.push_back(absl::StrCat("`", symbol.name, "` is an element of\n\n",
                                     DescribeField(analysis, field)));
      }
      break;
    case SymbolKind::kRoot:
      return DescribeRoot(symbol.name);
    case SymbolKind::kFunction:
      if (const FunctionWord* function = FindFunction(symbol.name)) {
        return absl::StrCat(Fence(function->signature), "\n\n",
                            function->summary);
      }
      return "";
    case SymbolKind::kCode:
    case SymbolKind::kName:
      return "";
  }
  if (parts.size() > kDeclarationsMax) {
    const size_t rest = parts.size() - kDeclarationsMax;
    parts.resize(kDeclarationsMax);
    parts.push_back(absl::StrCat("and ", rest, " more"));
  }
  std::string text;
  for (const std::string& part : parts) {
    absl::StrAppend(&text, text.empty() ? "" : "\n\n---\n\n", part);
  }
  return text;
}

std::optional<Hover> HoverAt(const Analysis& analysis, FileId file,
                             int32_t byte) {
  const std::vector<Symbol> symbols = CollectSymbols(analysis, file);
  const Symbol* const symbol = FindSymbol(symbols, byte);
  if (symbol != nullptr) {
    std::string text = Describe(analysis, *symbol);
    if (!text.empty()) return Hover{symbol->span, std::move(text)};
  }
  return HoverKeyword(analysis, file, byte);
}

}  // namespace sgl::tools
