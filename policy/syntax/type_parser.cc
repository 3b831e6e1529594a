// Types and the fields of records and intents.

#include <algorithm>
#include <utility>
#include <vector>

#include "policy/syntax/parser_state.h"

namespace sgl {

TypeExprId Parser::AddType(TypeExpr type) {
  ast_.types.push_back(std::move(type));
  return static_cast<TypeExprId>(ast_.types.size() - 1);
}

TypeExprId Parser::ParseType() {
  const int32_t begin = Peek().span.begin;
  const TypeExprId id = ParseTypeHead();
  TypeExpr& type = ast_.types[static_cast<size_t>(id)];
  if (TakeIf(TokenKind::kQuestion)) type.is_optional = true;
  type.span = SpanFrom(begin);
  return id;
}

// Reads a type up to its `?`.
TypeExprId Parser::ParseTypeHead() {
  TypeExpr type;
  const Nested nested(*this);
  if (panicking_ || NestsTooDeep(Peek().span)) return AddType(type);
  if (At(TokenKind::kLeftBrace)) {
    const int unread = unread_fields_;
    type.fields = ParseFields();
    // What such a record lacks is not known: it fits everything.
    if (unread == unread_fields_) type.kind = TypeExpr::Kind::kRecord;
    return AddType(std::move(type));
  }
  type.name = ParseWord("a type");
  if (panicking_) return AddType(std::move(type));
  if (type.name.text == "enum") {
    type.kind = TypeExpr::Kind::kEnum;
    ParseEnumMembers(type);
  } else if (type.name.text == "list") {
    type.kind = TypeExpr::Kind::kList;
    Expect(TokenKind::kLess, "after `list`");
    type.element = ParseType();
    Expect(TokenKind::kGreater, "after the list's type");
  } else {
    type.kind = TypeExpr::Kind::kNamed;
  }
  return AddType(std::move(type));
}

void Parser::ParseEnumMembers(TypeExpr& type) {
  if (!Expect(TokenKind::kLeftParen, "after `enum`")) return;
  do {
    Name member = At(TokenKind::kString) ? ParseName("a member of the enum")
                                         : ParseNewName("a member of the enum");
    if (!member.text.empty()) type.members.push_back(std::move(member));
    if (panicking_) return;
  } while (TakeIf(TokenKind::kComma) && !At(TokenKind::kRightParen));
  Expect(TokenKind::kRightParen, "after the enum's members");
}

// Reads `{ name: type, … }`. A field whose type can't be read has one that fits
// everything; one without a name is left out, and the next one is read.
std::vector<FieldSyntax> Parser::ParseFields() {
  std::vector<FieldSyntax> fields;
  if (!Expect(TokenKind::kLeftBrace, "before the fields")) return fields;
  bool is_broken = false;
  while (!panicking_ && !TakeIf(TokenKind::kRightBrace)) {
    if (Peek().starts_line && AtItemStart()) {
      // A `}` is missing, maybe because of what is reported already.
      if (!is_broken) UnexpectedAfter("`}` after the fields");
      panicking_ = true;
      ++unread_fields_;
      return fields;
    }
    FieldSyntax field;
    field.name = ParseName("a field or `}`");
    Expect(TokenKind::kColon, "after the field's name");
    field.type = ParseType();
    if (!panicking_ && !At(TokenKind::kRightBrace) &&
        !TakeIf(TokenKind::kComma) && !At(TokenKind::kWord) &&
        !At(TokenKind::kString)) {
      UnexpectedAfter("`,` or `}` after the field");
    }
    if (!panicking_) {
      fields.push_back(std::move(field));
      continue;
    }
    is_broken = true;
    if (field.name.text.empty()) {
      ++unread_fields_;
    } else {
      field.type = AddType(TypeExpr());
      fields.push_back(std::move(field));
    }
    SkipToField();
    panicking_ = At(TokenKind::kEnd) || (Peek().starts_line && AtItemStart());
  }
  return fields;
}

// Skips to where the next field, or the end of the fields, stands: a name and
// its `:` on a line of their own, or behind a `,` that no bracket encloses.
void Parser::SkipToField() {
  int depth = 0;
  const auto is_name = [this](size_t ahead) {
    const TokenKind kind = Peek(ahead).kind;
    return (kind == TokenKind::kWord || kind == TokenKind::kString) &&
           Peek(ahead + 1).kind == TokenKind::kColon;
  };
  while (!At(TokenKind::kEnd) && !(Peek().starts_line && AtItemStart())) {
    if (depth == 0) {
      if (At(TokenKind::kRightBrace)) return;
      // INVARIANT: only what ParseName takes, so that the caller moves on.
      if (Peek().starts_line && is_name(0)) return;
      if (At(TokenKind::kComma) && is_name(1)) {
        Take();
        return;
      }
    }
    switch (Take().kind) {
      case TokenKind::kLeftBrace:
      case TokenKind::kLeftParen:
      case TokenKind::kLess:
        ++depth;
        break;
      case TokenKind::kRightBrace:
      case TokenKind::kRightParen:
      case TokenKind::kGreater:
        depth = std::max(depth - 1, 0);
        break;
      default:
        break;
    }
  }
}

}  // namespace sgl
