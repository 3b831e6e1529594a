// The header and the items of a file, rules first of all.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/diagnostics/suggest.h"
#include "policy/syntax/parser_state.h"

namespace sgl {

void Parser::ParseHeader(Ast& ast) {
  if (At(TokenKind::kEnd) && !AtWord("policy")) {
    diagnostics_
        .Add(DiagnosticKind::kUnexpectedToken, Peek().span,
             "expected `policy` at the start of the file, found end of file")
        .Help("begin with `policy NAME version 1`");
    return;
  }
  if (!AtWord("policy")) {
    if (!At(TokenKind::kError)) {
      diagnostics_
          .Add(DiagnosticKind::kUnexpectedToken, Peek().span,
               absl::StrCat("expected `policy` at the start of the file, "
                            "found ",
                            Found()))
          .Help("begin with `policy NAME version 1`");
    }
    if (!AtItemStart()) SkipToItem();
    return;
  }
  Take();
  Name part = ParseWord("the policy's name");
  ast.policy_name = part.text;
  ast.policy_name_span = part.span;
  while (TakeIf(TokenKind::kDot)) {
    part = ParseWord("a name after `.`");
    absl::StrAppend(&ast.policy_name, ".", part.text);
    ast.policy_name_span = Cover(ast.policy_name_span, part.span);
  }
  ExpectWord("version", "after the policy's name");
  Span span;
  ast.version = ParseInt("a version number", &span);
  if (panicking_) {
    while (!At(TokenKind::kEnd) && !(Peek().starts_line && AtItemStart()) &&
           !(Peek().starts_line && AtWord("layer"))) {
      Take();
    }
    panicking_ = false;
  }
  if (AtWord("layer")) ParseLayer(ast);
}

void Parser::ParseLayer(Ast& ast) {
  const Span keyword = Take().span;
  if (TakeWordIf("platform")) {
    ast.layer_span = SpanFrom(keyword.begin);
    return;
  }
  if (TakeWordIf("tenant")) {
    ast.layer = LayerKind::kTenant;
    if (At(TokenKind::kString)) {
      ast.tenant_slug = ParseName("the tenant's slug");
    } else {
      Unexpected("the tenant's slug in quotes");
    }
  } else {
    Unexpected("`platform` or `tenant` after `layer`");
  }
  ast.layer_span = SpanFrom(keyword.begin);
  if (panicking_) {
    SkipToItem();
    panicking_ = false;
  }
}

void Parser::ParseItem(Ast& ast) {
  if (AtWord("default")) return ParseDefault(ast);
  if (AtWord("const")) return ParseBinding(ast.consts);
  if (AtWord("def")) return ParseBinding(ast.defs);
  if (AtWord("intent")) return ParseIntent(ast);
  if (AtWord("block") || AtWord("review") || AtWord("allow")) {
    return ParseRule(ast);
  }
  if (AtWord("limit")) return ParseLimit(ast);
  if (AtWord("test")) return ParseTest(ast);
  if (AtWord("assert")) return ParseAssert(ast);
  UnknownItem();
}

// Reports what starts no item, with what was probably meant.
void Parser::UnknownItem() {
  if (At(TokenKind::kError)) {
    Take();
    panicking_ = true;
    return;
  }
  const Span span = Peek().span;
  if (AtWord("layer") || AtWord("policy")) {
    diagnostics_
        .Add(DiagnosticKind::kMisplacedClause, span,
             absl::StrCat("`", Peek().word, "` after the start of the file"))
        .Help("the file begins with `policy`, then `layer`");
  } else if (AtWord("within") || AtWord("from")) {
    diagnostics_.Add(DiagnosticKind::kMisplacedClause, span,
                     absl::StrCat("`", Peek().word,
                                  "` stands only in an `approvals` clause"));
  } else {
    auto report = diagnostics_.Add(
        DiagnosticKind::kUnexpectedToken, span,
        absl::StrCat("expected a rule or a declaration, found ", Found()));
    if (At(TokenKind::kWord)) {
      std::string near;
      if (Peek().starts_line) near = NearestItemWord(Peek().word);
      if (near.empty()) near = NearestClauseWord(Peek().word);
      if (!near.empty()) {
        report.Help(absl::StrCat("did you mean `", near, "`?"));
      }
    }
  }
  // A type's declaration without its first word, or with a wrong one.
  ast_.has_unread_intent = ast_.has_unread_intent ||
                           Peek(1).kind == TokenKind::kLeftBrace ||
                           Peek(2).kind == TokenKind::kLeftBrace;
  Take();
  panicking_ = true;
}

Name Parser::ParseDecision() {
  if (panicking_ || AtWord("allow") || AtWord("review") || AtWord("block")) {
    return ParseWord("a decision");
  }
  std::string near;
  if (At(TokenKind::kWord)) {
    near = absl::AsciiStrToLower(Peek().word);
    if (near == "deny") near = "block";
    near = Suggest(near, {"allow", "review", "block"});
  }
  Unexpected("`allow`, `review` or `block`",
             near.empty() ? "" : absl::StrCat("did you mean `", near, "`?"));
  return {"", Peek().span, false};
}

void Parser::ParseDefault(Ast& ast) {
  DefaultSyntax item;
  item.keyword_span = Take().span;
  item.decision = ParseDecision();
  ast.defaults.push_back(std::move(item));
}

void Parser::ParseBinding(std::vector<BindingSyntax>& bindings) {
  const bool is_const = Take().word == "const";
  BindingSyntax item;
  item.name =
      ParseNewName(is_const ? "a name for the const" : "a name for the def");
  if (!panicking_ && !At(TokenKind::kAssign)) {
    UnexpectedAfter("`=` after the name");
  }
  TakeIf(TokenKind::kAssign);
  if (panicking_) {
    item.value = AddError(AfterPrevious());
  } else {
    item.value = is_const ? ParseOperand() : ParseExpr();
  }
  // A binding whose value failed stays known, so that its uses are no errors.
  if (panicking_) item.value = AddError(AfterPrevious());
  if (!item.name.text.empty()) bindings.push_back(std::move(item));
}

void Parser::ParseIntent(Ast& ast) {
  Take();
  IntentSyntax item;
  if (At(TokenKind::kStar)) {
    item.is_star = true;
    item.name.span = Take().span;
  } else {
    item.name = ParseName("an intent type or `*`");
  }
  const int unread = unread_fields_;
  item.fields = ParseFields();
  item.is_broken = panicking_ || unread != unread_fields_;
  if (item.fields.empty() && item.is_broken) ast.has_unread_intent = true;
  if (item.is_star || !item.name.text.empty()) {
    ast.intents.push_back(std::move(item));
  }
}

void Parser::ParseRule(Ast& ast) {
  RuleSyntax rule;
  rule.keyword = ParseWord("a rule");
  rule.keyword_span = rule.keyword.span;
  if (AtMissingName()) Unexpected("a code for the rule");
  rule.code = ParseWord("a code for the rule");
  if (!panicking_ && At(TokenKind::kString)) ParseMessage(rule);
  if (AtBareMessage()) {
    Unexpected("a message in quotes, or a clause of the rule",
               "write the message in quotes, right after the code");
  }
  ParseClauses(rule, false);
  if (!rule.code.text.empty()) ast.rules.push_back(std::move(rule));
}

// Returns whether a message without quotes stands behind a rule's code: three
// words or more that begin no clause.
bool Parser::AtBareMessage() {
  if (panicking_) return false;
  for (size_t i = 0; i < 3; ++i) {
    const Token& token = Peek(i);
    if (token.kind != TokenKind::kWord || token.starts_line ||
        !NearestClauseWord(token.word).empty()) {
      return false;
    }
  }
  return true;
}

// Reads the clauses of a rule, or those after a limit's `else`. A clause that
// can't be read is skipped, and the next is read.
void Parser::ParseClauses(RuleSyntax& rule, bool is_after_else) {
  bool seen_review = is_after_else;
  while (true) {
    if (panicking_) {
      SkipToClause();
      panicking_ = false;
    }
    const Token& at = Peek();
    const absl::string_view word =
        at.kind == TokenKind::kWord ? at.word : absl::string_view();
    if (at.kind == TokenKind::kString) {
      diagnostics_.Add(
          rule.message.has_value() ? DiagnosticKind::kDuplicateClause
                                   : DiagnosticKind::kMisplacedClause,
          at.span, "the message stands once, right after the code");
      Take();
    } else if (word == "on") {
      if (rule.has_on) {
        diagnostics_.Add(DiagnosticKind::kDuplicateClause, at.span,
                         "a second `on`");
      } else if (rule.when != ExprId::kNone || seen_review) {
        diagnostics_.Add(DiagnosticKind::kMisplacedClause, at.span,
                         "`on` stands before `when` and what a review needs");
      }
      rule.has_on = true;
      Take();
      ParseOn(rule.on);
    } else if (word == "when") {
      if (rule.when != ExprId::kNone) {
        diagnostics_
            .Add(DiagnosticKind::kDuplicateClause, at.span, "a second `when`")
            .Help("join the conditions with `and`");
      } else if (seen_review) {
        diagnostics_.Add(DiagnosticKind::kMisplacedClause, at.span,
                         "`when` stands before what a review needs");
      }
      Take();
      ExprId when = ParseExpr();
      if (AtStray()) ReportStray();
      // What was read of a broken condition says nothing of the whole.
      if (panicking_) when = AddError(AfterPrevious());
      if (rule.when == ExprId::kNone) rule.when = when;
    } else if (word == "risk") {
      seen_review = true;
      ParseRisk(rule);
    } else if (word == "approvals") {
      seen_review = true;
      ParseApprovals(rule);
    } else {
      return;
    }
  }
}

// Returns whether what stands behind a condition, on its line, can neither go
// on with it nor begin anything else. A text is a message out of its place,
// unless more follows.
bool Parser::AtStray() {
  if (panicking_ || Peek().starts_line || At(TokenKind::kEnd)) return false;
  if (At(TokenKind::kWord)) {
    return !AtClause() && !AtItemStart() && !AtWord("else") &&
           !AtWord("risk") && !AtWord("approvals") && !AtWord("within") &&
           !AtWord("from") && !AtMisspeltItem();
  }
  if (!At(TokenKind::kString)) return true;
  const Token& next = Peek(1);
  return !next.starts_line && next.kind != TokenKind::kEnd &&
         !AtWord("risk", 1) && !AtWord("approvals", 1) && !AtWord("on", 1) &&
         !AtWord("when", 1) && !AtWord("else", 1);
}

// Reports it, with the operator that was probably meant: the word itself, or
// the one before it, which was taken for an operand.
void Parser::ReportStray() {
  panicking_ = true;
  if (At(TokenKind::kError)) return;  // the lexer reported it
  auto report = diagnostics_.Add(
      DiagnosticKind::kUnexpectedToken, Peek().span,
      absl::StrCat("expected an operator, or the end of the condition, found ",
                   Found()));
  if (!At(TokenKind::kWord)) return;
  std::string near = Suggest(
      Peek().word, {"and", "or", "in", "matches", "starts_with", "ends_with",
                    "contains", "else", "risk", "approvals"});
  if (near.empty()) {
    near = Suggest(sources_.TextAt(previous_),
                   {"not", "has", "any", "all", "count"});
  }
  if (AtWord("is")) {
    report.Help("write `==`, or `has PATH` for a field that may be missing");
    return;
  }
  if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
}

void Parser::ParseOn(std::vector<Name>& on) {
  constexpr absl::string_view kWhat = "an intent type or a const";
  if (AtMissingName()) Unexpected(kWhat);
  if (At(TokenKind::kLeftBrace) || At(TokenKind::kLeftBracket)) {
    Unexpected(kWhat, "write them without brackets: `on A, B`");
  }
  while (true) {
    Name name = ParseName(kWhat);
    if (!panicking_ && !name.text.empty()) on.push_back(std::move(name));
    if (TakeIf(TokenKind::kComma)) continue;
    if (panicking_ || Peek().starts_line || (!AtWord("or") && !AtWord("and"))) {
      return;
    }
    diagnostics_
        .Add(DiagnosticKind::kUnexpectedToken, Peek().span,
             absl::StrCat("expected `,` or the end of the types, found ",
                          Found()))
        .Help("write `,` between types");
    Take();  // as a comma
  }
}

void Parser::ParseRisk(RuleSyntax& rule) {
  const Span keyword = Take().span;
  if (rule.risk.has_value()) {
    diagnostics_.Add(DiagnosticKind::kDuplicateClause, keyword,
                     "a second `risk`");
  }
  Span span;
  const int64_t risk = ParseInt("a number after `risk`", &span);
  if (!panicking_ && !rule.risk.has_value()) {
    rule.risk = risk;
    rule.risk_span = span;
  }
}

void Parser::ParseApprovals(RuleSyntax& rule) {
  ApprovalsSyntax item;
  item.span = Take().span;
  item.count = ParseInt("a number after `approvals`", &item.count_span);
  if (TakeWordIf("from")) ParseRoles(item.roles);
  if (TakeWordIf("within")) item.within = ParseDuration(&item.within_span);
  item.span = SpanFrom(item.span.begin);
  if (!panicking_) rule.approvals.push_back(std::move(item));
}

void Parser::ParseRoles(std::vector<Name>& roles) {
  if (AtMissingName() || AtMissingRole()) Unexpected("a role");
  do {
    roles.push_back(ParseName("a role"));
  } while (TakeIf(TokenKind::kComma));
  const Token& next = Peek();
  if (panicking_ || next.kind != TokenKind::kWord || next.starts_line ||
      roles.back().is_quoted || AtWord("within") || AtClause() ||
      AtItemStart() || AtWord("approvals") || AtWord("risk")) {
    return;
  }
  std::string near = NearestClauseWord(next.word);
  if (near.empty() && Peek(1).kind == TokenKind::kDuration) near = "within";
  diagnostics_
      .Add(
          DiagnosticKind::kUnexpectedToken, next.span,
          absl::StrCat("expected `,` or the end of the roles, found ", Found()))
      .Help(near.empty()
                ? absl::StrCat("a role of two words is quoted: `\"",
                               roles.back().text, " ", next.word, "\"`")
                : absl::StrCat("did you mean `", near, "`?"));
  panicking_ = true;
}

// `within` behind `from`, with its duration.
bool Parser::AtMissingRole() {
  return AtWord("within") && Peek(1).kind == TokenKind::kDuration;
}

// Reads a message, its interpolations with a lexer of their own.
void Parser::ParseMessage(RuleSyntax& rule) {
  const Token token = Take();
  MessageSyntax message;
  message.span = token.span;
  if (token.parts.empty()) message.parts.push_back({token.text, ExprId::kNone});
  for (const StringPart& part : token.parts) {
    if (!part.is_interpolation) {
      message.parts.push_back({part.text, ExprId::kNone});
      continue;
    }
    auto lexer = std::make_unique<Lexer>(sources_, part.span, diagnostics_);
    std::swap(lexer, lexer_);
    TokenQueue ahead;
    std::swap(ahead, ahead_);
    previous_ = {file_, part.span.begin, part.span.begin};
    in_interpolation_ = true;
    const ExprId value = ParseCoalesce();
    if (!panicking_ && !At(TokenKind::kEnd)) Unexpected("`}`");
    in_interpolation_ = false;
    message.parts.push_back({"", panicking_ ? AddError(part.span) : value});
    panicking_ = false;
    std::swap(ahead, ahead_);
    std::swap(lexer, lexer_);
  }
  previous_ = token.span;
  rule.message = std::move(message);
}

}  // namespace sgl
