// Limits, and what puts a policy on trial: tests and asserts.

#include <absl/strings/str_cat.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/syntax/parser_state.h"

namespace sgl {

// limit CODE ["message"] AMOUNT per SCOPE per WINDOW [on] [when] else KIND …
void Parser::ParseLimit(Ast& ast) {
  LimitSyntax limit;
  limit.rule.keyword_span = Take().span;
  limit.rule.code = ParseWord("a code for the limit");
  if (!panicking_ && At(TokenKind::kString)) ParseMessage(limit.rule);
  ParseLimitAmount(limit);
  ExpectWord("per", "after the limit's amount");
  if (!panicking_ && !AtWord("agent") && !AtWord("tenant") &&
      !AtWord("platform")) {
    Unexpected("`agent`, `tenant` or `platform`");
  }
  limit.scope = ParseWord("a scope");
  ExpectWord("per", "before the limit's window");
  limit.window = ParseDuration(&limit.window_span);
  if (TakeWordIf("on")) {
    limit.rule.has_on = true;
    ParseOn(limit.rule.on);
  }
  if (TakeWordIf("when")) limit.rule.when = ParseExpr();
  ExpectWord("else", "after what the limit counts");
  if (!panicking_ && !AtWord("review") && !AtWord("block")) {
    Unexpected("`review` or `block`");
  }
  limit.rule.keyword = ParseWord("a decision");
  if (panicking_) return;
  ParseClauses(limit.rule, true);
  if (!limit.rule.code.text.empty()) ast.limits.push_back(std::move(limit));
}

void Parser::ParseLimitAmount(LimitSyntax& limit) {
  if (panicking_) return;
  limit.amount_span = Peek().span;
  if (At(TokenKind::kInt)) {
    limit.amount = Signed(Take(), false);
  } else if (At(TokenKind::kUsd)) {
    limit.is_spend = true;
    limit.amount = Signed(Take(), false);
    ExpectWord("of", "after the amount");
    ExpectWord("spend", "after `of`");
  } else {
    Unexpected("a number of intents, or an amount of spend");
  }
}

void Parser::ParseTest(Ast& ast) {
  Take();
  TestSyntax test;
  test.name_span = Peek().span;
  if (At(TokenKind::kString)) {
    test.name = PlainText(Take());
  } else {
    Unexpected("the test's name in quotes");
  }
  Expect(TokenKind::kLeftBrace, "before the test's steps");
  while (!panicking_ && !TakeIf(TokenKind::kRightBrace)) ParseTestStep(test);
  if (!panicking_) ast.tests.push_back(std::move(test));
}

void Parser::ParseTestStep(TestSyntax& test) {
  TestStepSyntax step;
  ExpectWord("given", "or `}` in a test");
  if (!panicking_ && !At(TokenKind::kLeftBrace)) {
    UnexpectedAfter("`{` after `given`");
  }
  step.given = ParseObject();
  ExpectWord("expect", "after what is given");
  step.decision = ParseDecision();
  if (TakeIf(TokenKind::kLeftBracket)) {
    step.has_codes = true;
    while (!panicking_ && !At(TokenKind::kRightBracket)) {
      step.codes.push_back(ParseWord("a code or `]`"));
      if (!TakeIf(TokenKind::kComma)) break;
    }
    Expect(TokenKind::kRightBracket, "after the codes");
  }
  if (!panicking_) test.steps.push_back(std::move(step));
}

ObjectId Parser::AddObject(ObjectSyntax object) {
  ast_.objects.push_back(std::move(object));
  return static_cast<ObjectId>(ast_.objects.size() - 1);
}

// Reads an object, a list, `null`, a literal or a bare name.
ObjectId Parser::ParseObject() {
  ObjectSyntax object;
  const Nested nested(*this);
  object.span = Peek().span;
  if (panicking_ || NestsTooDeep(object.span)) return AddObject(object);
  if (At(TokenKind::kLeftBrace)) {
    object.kind = ObjectSyntax::Kind::kObject;
    Take();
    ParseObjectMembers(object);
  } else if (At(TokenKind::kLeftBracket)) {
    object.kind = ObjectSyntax::Kind::kList;
    Take();
    ParseListItems(object);
  } else if (TakeWordIf("null")) {
    object.kind = ObjectSyntax::Kind::kNull;
  } else {
    object.kind = ObjectSyntax::Kind::kValue;
    object.value = ParseUnary();
  }
  object.span = SpanFrom(object.span.begin);
  return AddObject(std::move(object));
}

void Parser::ParseObjectMembers(ObjectSyntax& object) {
  while (!panicking_ && !TakeIf(TokenKind::kRightBrace)) {
    object.keys.push_back(ParseName("a field or `}`"));
    Expect(TokenKind::kColon, "after the field's name");
    object.items.push_back(ParseObject());
    if (!panicking_ && !TakeIf(TokenKind::kComma) &&
        !At(TokenKind::kRightBrace)) {
      UnexpectedAfter("`,` or `}` after the value");
    }
  }
}

void Parser::ParseListItems(ObjectSyntax& object) {
  while (!panicking_ && !TakeIf(TokenKind::kRightBracket)) {
    object.items.push_back(ParseObject());
    if (!panicking_ && !TakeIf(TokenKind::kComma) &&
        !At(TokenKind::kRightBracket)) {
      UnexpectedAfter("`,` or `]` after the value");
    }
  }
}

// assert "name" [on] [when]: decision (== D | != D | in {D, …})
void Parser::ParseAssert(Ast& ast) {
  Take();
  AssertSyntax item;
  item.name_span = Peek().span;
  if (At(TokenKind::kString)) {
    item.name = PlainText(Take());
  } else {
    Unexpected("the assert's name in quotes");
  }
  if (TakeWordIf("on")) {
    item.has_on = true;
    ParseOn(item.on);
  }
  if (TakeWordIf("when")) item.when = ParseExpr();
  Expect(TokenKind::kColon, "before what is asserted");
  ExpectWord("decision", "in an assert");
  if (TakeWordIf("in")) {
    Expect(TokenKind::kLeftBrace, "after `in`");
    do {
      item.decisions.push_back(ParseDecision());
    } while (TakeIf(TokenKind::kComma));
    Expect(TokenKind::kRightBrace, "after the decisions");
  } else {
    item.is_negated = At(TokenKind::kNotEqual);
    if (!item.is_negated && !At(TokenKind::kEqual)) {
      Unexpected("`==`, `!=` or `in`");
    }
    if (!panicking_) Take();
    item.decisions.push_back(ParseDecision());
  }
  if (!panicking_) ast.asserts.push_back(std::move(item));
}

}  // namespace sgl
