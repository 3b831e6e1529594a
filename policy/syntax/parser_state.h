// The parser's class, shared by its parts: items, types and expressions each
// have a file. Internal to policy/syntax.
//
// Errors: Unexpected() reports once and sets `panicking_`. While it is set,
// parse functions return at once and report nothing; whoever can find the next
// clause, field or item skips to it and clears the flag.

#ifndef POLICY_SYNTAX_PARSER_STATE_H_
#define POLICY_SYNTAX_PARSER_STATE_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/diagnostics/diagnostic.h"
#include "policy/lex/lexer.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/parser.h"

namespace sgl {

// The tokens that were looked at and not yet taken: one or two mostly. They
// stay where they are, and their memory is used again for the next ones: a
// std::deque of such large items asks for some with every fourth.
class TokenQueue {
 public:
  size_t size() const { return tokens_.size() - taken_; }
  const Token& operator[](size_t place) const {
    return *tokens_[taken_ + place];
  }

  void Push(Token token) {
    if (taken_ == 0) {
      tokens_.push_back(std::make_unique<Token>(std::move(token)));
      return;
    }
    --taken_;
    *tokens_.front() = std::move(token);
    std::rotate(tokens_.begin(), tokens_.begin() + 1, tokens_.end());
  }

  // REQUIRES: there is one.
  Token Pop() { return std::move(*tokens_[taken_++]); }
  void Drop() { ++taken_; }

 private:
  std::vector<std::unique_ptr<Token>> tokens_;
  size_t taken_ = 0;  // of the first ones
};

class Parser {
 public:
  Parser(const SourceSet& sources, FileId file, Diagnostics& diagnostics);

  // Reads the whole file. Call once.
  Ast ParseFile();

 private:
  // Counts one level of nesting while it lives.
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nested() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  // parser.cc: tokens, errors, recovery.
  const Token& Peek(size_t ahead = 0) {
    if (ahead_.size() <= ahead) ReadAhead(ahead);
    return ahead_[ahead];
  }
  // Kept apart, so that looking again at what was read costs no call.
  void ReadAhead(size_t ahead);
  Token Take();
  // Takes a token that nobody wants to look at.
  void Drop();
  bool At(TokenKind kind) { return Peek().kind == kind; }
  bool AtWord(absl::string_view word, size_t ahead = 0);
  bool TakeIf(TokenKind kind);
  bool TakeWordIf(absl::string_view word);
  bool Expect(TokenKind kind, absl::string_view where);
  bool ExpectWord(absl::string_view word, absl::string_view where);
  std::string Found();
  void Unexpected(absl::string_view expected, std::string help = "");
  void UnexpectedAfter(absl::string_view expected);
  void ReportUnexpected(Span place, absl::string_view expected,
                        std::string help = "");
  Span AfterPrevious() const;
  Span SpanFrom(int32_t begin) const;
  bool NestsTooDeep(Span span);
  void SkipNested();
  bool AtItemStart();
  bool AtClause();
  bool AtMissingName();
  bool AtNextItem();
  void ReportStray();
  bool AtMisspeltItem();
  static std::string NearestItemWord(absl::string_view word);
  static std::string NearestClauseWord(absl::string_view word);
  void SkipToItem();
  void SkipToClause();
  Name ParseWord(absl::string_view what);
  Name ParseName(absl::string_view what);
  Name ParseNewName(absl::string_view what);
  int64_t Signed(const Token& token, bool is_negated);
  int64_t ParseInt(absl::string_view what, Span* span);
  int64_t ParseDuration(Span* span);
  std::string DurationHelp();
  std::string PlainText(const Token& token);

  // item_parser.cc
  void ParseHeader(Ast& ast);
  void ParseLayer(Ast& ast);
  void ParseItem(Ast& ast);
  void UnknownItem();
  void ParseDefault(Ast& ast);
  void ParseBinding(std::vector<BindingSyntax>& bindings);
  void ParseIntent(Ast& ast);
  void ParseRule(Ast& ast);
  void ParseClauses(RuleSyntax& rule, bool is_after_else);
  bool AtBareMessage();
  bool AtStray();
  void ParseOn(std::vector<Name>& on);
  void ParseRisk(RuleSyntax& rule);
  void ParseApprovals(RuleSyntax& rule);
  void ParseRoles(std::vector<Name>& roles);
  bool AtMissingRole();
  void ParseMessage(RuleSyntax& rule);
  Name ParseDecision();

  // trial_parser.cc: limits, tests and asserts.
  void ParseLimit(Ast& ast);
  void ParseLimitAmount(LimitSyntax& limit);
  void ParseTest(Ast& ast);
  void ParseTestStep(TestSyntax& test);
  void ParseAssert(Ast& ast);
  ObjectId ParseObject();
  ObjectId AddObject(ObjectSyntax object);
  void ParseObjectMembers(ObjectSyntax& object);
  void ParseListItems(ObjectSyntax& object);

  // type_parser.cc
  TypeExprId ParseType();
  TypeExprId ParseTypeHead();
  TypeExprId AddType(TypeExpr type);
  void ParseEnumMembers(TypeExpr& type);
  std::vector<FieldSyntax> ParseFields();
  void SkipToField();

  // expr_parser.cc
  ExprId ParseExpr();
  ExprId ParseAndOr(bool is_or);
  ExprId ParseNot();
  ExprId ParseComparison();
  ExprId ParseComparisonTail(ExprId left);
  ExprId ParseOperand();
  ExprId ParseCoalesce();
  ExprId ParseSum();
  ExprId ParseProduct();
  ExprId ParseUnary();
  ExprId ParsePrimary();
  ExprId ParseWordPrimary();
  ExprId ParseParen();
  ExprId ParseHas();
  ExprId ParseQuantifier(ExprKind kind);
  ExprId ParseCall();
  ExprId ParsePath();
  ExprId ParseSet();
  ExprId ParseNumber(bool is_negated, int32_t begin);
  ExprId AddLeaf(ExprKind kind, Span span, int64_t number);
  ExprId AddText(ExprKind kind, const Token& token, std::string text);
  ExprId AddNode(ExprKind kind, Span span, Span op_span,
                 absl::Span<const ExprId> children);
  ExprId AddError(Span span);
  void SetSteps(ExprId id, absl::Span<const Name> steps);
  const Expr& expr(ExprId id) const { return ast_.expr(id); }

  const SourceSet& sources_;
  const FileId file_;
  Diagnostics& diagnostics_;
  std::unique_ptr<Lexer> lexer_;
  TokenQueue ahead_;
  Span previous_;
  int nesting_ = 0;
  bool panicking_ = false;
  int unread_fields_ = 0;  // left out of their intent or record
  bool in_interpolation_ = false;
  Ast ast_;
  std::vector<int32_t> depths_;  // of each expr, beside ast_.exprs
};

}  // namespace sgl

#endif  // POLICY_SYNTAX_PARSER_STATE_H_
