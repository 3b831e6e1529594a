#include "policy/syntax/parser.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "policy/diagnostics/suggest.h"
#include "policy/limits.h"
#include "policy/syntax/parser_state.h"

namespace sgl {

bool IsReservedWord(absl::string_view word) {
  constexpr absl::string_view kWords[] = {
      "intent",   "payload", "agent",   "tenant",      "budget",
      "now",      "true",    "false",   "and",         "or",
      "not",      "in",      "matches", "starts_with", "ends_with",
      "contains", "has",     "any",     "all",         "count"};
  return std::find(std::begin(kWords), std::end(kWords), word) !=
         std::end(kWords);
}

Ast Parse(const SourceSet& sources, FileId file, Diagnostics& diagnostics) {
  return Parser(sources, file, diagnostics).ParseFile();
}

Parser::Parser(const SourceSet& sources, FileId file, Diagnostics& diagnostics)
    : sources_(sources),
      file_(file),
      diagnostics_(diagnostics),
      lexer_(std::make_unique<Lexer>(sources, file, diagnostics)),
      previous_{file, 0, 0} {
  ast_.file = file;
  ast_.policy_name_span = previous_;
  ast_.layer_span = previous_;
}

Ast Parser::ParseFile() {
  if (sources_.text(file_).size() > static_cast<size_t>(kSourceBytesMax)) {
    return std::move(ast_);  // the lexer reported it
  }
  ParseHeader(ast_);
  while (!At(TokenKind::kEnd)) {
    const int32_t before = Peek().span.begin;
    ParseItem(ast_);
    if (panicking_) {
      // INVARIANT: each round takes at least one token, so the loop ends.
      if (Peek().span.begin == before && !At(TokenKind::kEnd)) Take();
      SkipToItem();
      panicking_ = false;
    }
  }
  return std::move(ast_);
}

void Parser::ReadAhead(size_t ahead) {
  while (ahead_.size() <= ahead) ahead_.Push(lexer_->Next());
}

Token Parser::Take() {
  Peek();
  Token token = ahead_.Pop();
  previous_ = token.span;
  return token;
}

void Parser::Drop() {
  previous_ = Peek().span;
  ahead_.Drop();
}

bool Parser::AtWord(absl::string_view word, size_t ahead) {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kWord && token.word == word;
}

bool Parser::TakeIf(TokenKind kind) {
  if (panicking_ || !At(kind)) return false;
  Drop();
  return true;
}

bool Parser::TakeWordIf(absl::string_view word) {
  if (panicking_ || !AtWord(word)) return false;
  Drop();
  return true;
}

// Takes a token of a kind, or reports that it is missing after what stands
// before it.
bool Parser::Expect(TokenKind kind, absl::string_view where) {
  if (TakeIf(kind)) return true;
  UnexpectedAfter(absl::StrCat(TokenKindName(kind), " ", where));
  return false;
}

bool Parser::ExpectWord(absl::string_view word, absl::string_view where) {
  if (TakeWordIf(word)) return true;
  Unexpected(absl::StrCat("`", word, "` ", where));
  return false;
}

// Returns how a message names the next token.
std::string Parser::Found() {
  const Token& token = Peek();
  if (token.kind == TokenKind::kEnd && in_interpolation_) return "`}`";
  if (token.kind == TokenKind::kWord) {
    return absl::StrCat("`", token.word.substr(0, 60), "`");
  }
  return std::string(TokenKindName(token.kind));
}

// Reports the next token; or, where that one stands on a later line, the place
// behind the previous one: that is where something is missing. After a bracket
// or a comma, though, a new line is where the next thing belongs. What the
// lexer could not read is reported already.
void Parser::Unexpected(absl::string_view expected, std::string help) {
  const Span next = Peek().span;
  const absl::string_view before = sources_.text(file_).substr(0, next.begin);
  const bool is_missing =
      previous_.end > 0 &&
      absl::StrContains(before.substr(previous_.end), "\n") &&
      !absl::StrContains("{[(,", before.substr(previous_.end - 1, 1));
  ReportUnexpected(is_missing ? AfterPrevious() : next, expected,
                   std::move(help));
}

// Like Unexpected, for what is missing rather than wrong wherever it stands.
void Parser::UnexpectedAfter(absl::string_view expected) {
  ReportUnexpected(AfterPrevious(), expected);
}

void Parser::ReportUnexpected(Span place, absl::string_view expected,
                              std::string help) {
  if (!panicking_ && !At(TokenKind::kError)) {
    auto report = diagnostics_.Add(
        DiagnosticKind::kUnexpectedToken, place,
        absl::StrCat("expected ", expected, ", found ", Found()));
    if (!help.empty()) report.Help(std::move(help));
  }
  panicking_ = true;
}

Span Parser::AfterPrevious() const {
  return {file_, previous_.end, previous_.end};
}

Span Parser::SpanFrom(int32_t begin) const {
  return {file_, begin, std::max(begin, previous_.end)};
}

// Reports nesting past the bound, and skips what nests deeper.
bool Parser::NestsTooDeep(Span span) {
  if (nesting_ <= kNestingMax) return false;
  if (!panicking_) {
    diagnostics_.Add(DiagnosticKind::kNestingTooDeep, span,
                     absl::StrFormat("nested more than %d deep", kNestingMax));
  }
  SkipNested();
  panicking_ = true;
  return true;
}

// Skips to the end of the item, whatever brackets stand open.
void Parser::SkipNested() { SkipToItem(); }

// Returns whether an item surely starts here. Item words are names elsewhere,
// so what follows decides too.
bool Parser::AtItemStart() {
  if (!At(TokenKind::kWord)) return false;
  const absl::string_view word = Peek().word;
  const TokenKind next = Peek(1).kind;
  if (word == "block" || word == "review" || word == "allow" ||
      word == "limit") {
    return next == TokenKind::kWord || next == TokenKind::kString;
  }
  if (word == "default") return next == TokenKind::kWord;
  if (word == "const" || word == "def") {
    return next == TokenKind::kWord || next == TokenKind::kAssign;
  }
  if (word == "intent") {
    return next == TokenKind::kWord || next == TokenKind::kString ||
           next == TokenKind::kStar;
  }
  return (word == "test" || word == "assert") && next == TokenKind::kString;
}

// Returns whether a clause of a rule surely starts here.
bool Parser::AtClause() {
  if (!At(TokenKind::kWord)) return false;
  const absl::string_view word = Peek().word;
  if (word == "risk" || word == "approvals") {
    return Peek(1).kind == TokenKind::kInt;
  }
  return word == "when" || word == "on";
}

// Returns whether a word of the grammar stands where a name was left out: the
// clause that it begins goes on behind it, or it begins the next item.
bool Parser::AtMissingName() {
  if (panicking_ || !At(TokenKind::kWord)) return false;
  if (Peek().starts_line && AtItemStart()) return true;
  const Token& next = Peek(1);
  if (AtWord("risk") || AtWord("approvals")) {
    return next.kind == TokenKind::kInt;
  }
  if (!AtWord("when") && !AtWord("on")) return false;
  if (next.starts_line || next.kind == TokenKind::kEnd) return false;
  if (next.kind != TokenKind::kWord) {
    return next.kind != TokenKind::kString && next.kind != TokenKind::kComma;
  }
  return !AtWord("when", 1) && !AtWord("on", 1) && !AtWord("risk", 1) &&
         !AtWord("approvals", 1) && !AtWord("else", 1);
}

// Skips to the next line that starts an item, or starts a misspelt one: that
// is a mistake of its own.
void Parser::SkipToItem() {
  while (!At(TokenKind::kEnd)) {
    if (Peek().starts_line && (AtItemStart() || AtMisspeltItem())) return;
    Take();
  }
}

bool Parser::AtMisspeltItem() {
  if (!At(TokenKind::kWord) || AtClause()) return false;
  const std::string near = NearestItemWord(Peek().word);
  const TokenKind next = Peek(1).kind;
  return next == TokenKind::kString ? near == "test" || near == "assert"
                                    : next == TokenKind::kWord && !near.empty();
}

std::string Parser::NearestItemWord(absl::string_view word) {
  if (word == "deny" || word == "forbid" || word == "reject") return "block";
  if (word == "permit" || word == "accept") return "allow";
  return Suggest(word, {"default", "const", "def", "intent", "block", "review",
                        "allow", "limit", "test", "assert"});
}

std::string Parser::NearestClauseWord(absl::string_view word) {
  if (word == "if" || word == "where") return "when";
  return Suggest(word, {"on", "when", "risk", "approvals", "from", "within"});
}

void Parser::SkipToClause() {
  bool after_dot = false;
  while (!At(TokenKind::kEnd) && !(Peek().starts_line && AtItemStart()) &&
         (after_dot || !AtClause())) {
    after_dot = Take().kind == TokenKind::kDot;
  }
}

Name Parser::ParseWord(absl::string_view what) {
  Name name;
  name.span = AfterPrevious();
  if (panicking_) return name;
  if (!At(TokenKind::kWord)) {
    Unexpected(what);
    return name;
  }
  const Token token = Take();
  return {std::string(token.word), token.span, false};
}

// Reads a word, or a name in quotes.
Name Parser::ParseName(absl::string_view what) {
  if (panicking_ || !At(TokenKind::kString)) return ParseWord(what);
  const Token token = Take();
  Name name = {PlainText(token), token.span, true};
  if (name.text.empty() && token.parts.empty()) {
    diagnostics_.Add(DiagnosticKind::kUnexpectedToken, token.span,
                     absl::StrCat("expected ", what, ", found an empty name"));
  }
  if (name.text.size() > static_cast<size_t>(kNameBytesMax)) {
    diagnostics_.Add(DiagnosticKind::kNameTooLong, token.span,
                     absl::StrFormat("the name has %d bytes, more than %d",
                                     name.text.size(), kNameBytesMax));
    name.text.resize(static_cast<size_t>(kNameBytesMax));
  }
  return name;
}

// Reads a word that is to name something in expressions.
Name Parser::ParseNewName(absl::string_view what) {
  Name name = ParseWord(what);
  if (IsReservedWord(name.text)) {
    diagnostics_.Add(DiagnosticKind::kReservedName, name.span,
                     absl::StrCat("`", name.text,
                                  "` is a word of the language, not ", what));
    name.text.clear();
  }
  return name;
}

// Returns a string without interpolations; reports one that has them.
std::string Parser::PlainText(const Token& token) {
  if (token.parts.empty()) return token.text;
  std::string text;
  for (const StringPart& part : token.parts) {
    if (part.is_interpolation) {
      diagnostics_
          .Add(DiagnosticKind::kMisplacedInterpolation,
               {file_, part.span.begin - 2, part.span.end + 1},
               "only the message of a rule interpolates")
          .Help("write `\\$` for a `$` before a `{`");
    }
    text += part.text;
  }
  return text;
}

// Returns a number token's value; reports 2^63 unless it is negated.
int64_t Parser::Signed(const Token& token, bool is_negated) {
  if (is_negated) return static_cast<int64_t>(-token.number);
  if (token.number == kMagnitudeMax) {
    diagnostics_.Add(DiagnosticKind::kNumberOutOfRange, token.span,
                     "the number does not fit into 64 bits");
    return 0;
  }
  return static_cast<int64_t>(token.number);
}

int64_t Parser::ParseInt(absl::string_view what, Span* span) {
  *span = Peek().span;
  if (panicking_ || !At(TokenKind::kInt)) {
    Unexpected(what);
    return 0;
  }
  return Signed(Take(), false);
}

int64_t Parser::ParseDuration(Span* span) {
  *span = Peek().span;
  if (panicking_ || !At(TokenKind::kDuration)) {
    Unexpected("a duration such as `24h`", DurationHelp());
    return 0;
  }
  return Signed(Take(), false);
}

// Returns how `4 hours` and `day` are written, or an empty text.
std::string Parser::DurationHelp() {
  const bool has_number = At(TokenKind::kInt);
  const Token& unit = Peek(has_number ? 1 : 0);
  if (unit.kind != TokenKind::kWord || unit.starts_line) return "";
  for (const absl::string_view known : {"second", "minute", "hour", "day"}) {
    if (!absl::StartsWith(unit.word, known)) continue;
    return absl::StrCat("write `",
                        has_number ? sources_.TextAt(Peek().span) : "1",
                        known.substr(0, 1), "`");
  }
  return "";
}

}  // namespace sgl
