#include "tests/language/syntax_verbs.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <optional>

#include "policy/diagnostics/diagnostic.h"
#include "policy/lex/lexer.h"
#include "policy/source/source.h"
#include "policy/syntax/dump.h"
#include "policy/syntax/formatter.h"
#include "policy/syntax/parser.h"

namespace sgl::tests {

std::string RunLex(const std::string& input) {
  SourceSet sources;
  const FileId file = sources.Add("case", input);
  Diagnostics diagnostics;
  Lexer lexer(sources, file, diagnostics);
  std::string out;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd;
       token = lexer.Next()) {
    absl::StrAppend(&out, token.span.begin, "-", token.span.end, " ",
                    TokenKindName(token.kind));
    if (token.kind == TokenKind::kWord) absl::StrAppend(&out, " ", token.word);
    if (token.kind == TokenKind::kError) {
      out += "\n";
      continue;
    }
    if (token.number != 0) absl::StrAppend(&out, " ", token.number);
    if (token.time != 0) absl::StrAppend(&out, " ", token.time);
    if (!token.text.empty()) {
      absl::StrAppend(&out, " \"", absl::CEscape(token.text), "\"");
    }
    for (const StringPart& part : token.parts) {
      absl::StrAppend(&out, part.is_interpolation ? " ${" : " \"",
                      part.is_interpolation ? sources.TextAt(part.span)
                                            : absl::CEscape(part.text),
                      part.is_interpolation ? "}" : "\"");
    }
    absl::StrAppend(&out, token.flag ? " i\n" : "\n");
  }
  return out + RenderAll(sources, diagnostics);
}

std::string RunParse(const std::string& input) {
  SourceSet sources;
  const FileId file = sources.Add("case", input);
  Diagnostics diagnostics;
  const std::string out = DumpAst(Parse(sources, file, diagnostics));
  return out + RenderAll(sources, diagnostics);
}

std::string RunFormat(const std::string& input) {
  SourceSet sources;
  const FileId file = sources.Add("case", input);
  Diagnostics diagnostics;
  const std::optional<std::string> text = Format(sources, file, diagnostics);
  return text.value_or(RenderAll(sources, diagnostics));
}

}  // namespace sgl::tests
