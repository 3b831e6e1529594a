// The layout of items, types and what tests are given. A title (a rule's
// message, an assert's name) ends its line, and so does what a limit counts.

#include <utility>
#include <vector>

#include "policy/syntax/layout_builder.h"

namespace sgl {

LayoutId LayoutBuilder::Item() {
  if (AtWord("policy") || AtWord("layer")) return Header();
  if (AtWord("default")) {
    const LayoutId keyword = Take();
    return Run({keyword, Take()});
  }
  if (AtWord("const") || AtWord("def")) return Binding();
  if (AtWord("intent")) return Intent();
  if (AtWord("block") || AtWord("review") || AtWord("allow")) return Rule();
  if (AtWord("limit")) return Limit();
  if (AtWord("test")) return Test();
  if (AtWord("assert")) return Assert();
  return Take();
}

// `policy a.b version 1`, or `layer platform`, or `layer tenant "slug"`.
LayoutId LayoutBuilder::Header() {
  const bool is_layer = AtWord("layer");
  std::vector<LayoutId> parts = {Take(), Take()};
  if (is_layer) {
    if (At(TokenKind::kString)) parts.push_back(Take());
    return Run(parts);
  }
  while (At(TokenKind::kDot)) {
    parts.push_back(TakeGlued());
    parts.push_back(TakeGlued());
  }
  parts.push_back(Take());
  parts.push_back(Take());
  return Run(parts);
}

LayoutId LayoutBuilder::Binding() {
  const bool is_const = AtWord("const");
  const LayoutId keyword = Take();
  const LayoutId name = Take();
  const LayoutId head = Run({keyword, name, Take()});
  if (is_const) return Run({head, Operand()});
  return Lines({head, Expr(0)}, 2);
}

LayoutId LayoutBuilder::Intent() {
  const LayoutId keyword = Take();
  const LayoutId name = TakeName(NameUse::kOther);
  return Run({keyword, name, Fields()});
}

LayoutId LayoutBuilder::Rule() {
  std::vector<LayoutId> head = {Take(), Take()};
  const bool has_title = At(TokenKind::kString);
  if (has_title) {
    head.push_back(Take());
  } else if (AtWord("on")) {
    head.push_back(On());
  }
  std::vector<LayoutId> lines = {Run(head)};
  Clauses(lines);
  const LayoutId rule = Lines(lines, 2);
  if (has_title && lines.size() > 1) at(rule).must_break = true;
  return rule;
}

LayoutId LayoutBuilder::Limit() {
  std::vector<LayoutId> head = {Take(), Take()};
  std::vector<LayoutId> lines;
  const bool has_title = At(TokenKind::kString);
  if (has_title) {
    head.push_back(Take());
    lines.push_back(Run(head));
    head.clear();
  }
  while (!AtWord("on") && !AtWord("when") && !AtWord("else") &&
         !At(TokenKind::kEnd)) {
    head.push_back(Take());
  }
  if (AtWord("on")) head.push_back(On());
  lines.push_back(Run(head));
  if (AtWord("when")) lines.push_back(When());
  const LayoutId keyword = Take();
  std::vector<LayoutId> then = {Run({keyword, Take()})};
  Clauses(then);
  lines.push_back(Lines(then, 2));
  const LayoutId limit = Lines(lines, 2);
  at(limit).must_break = true;
  return limit;
}

// Takes the clauses that follow, a line each.
void LayoutBuilder::Clauses(std::vector<LayoutId>& lines) {
  while (true) {
    if (AtWord("on")) {
      lines.push_back(On());
    } else if (AtWord("when")) {
      lines.push_back(When());
    } else if (AtWord("risk")) {
      const LayoutId keyword = Take();
      lines.push_back(Run({keyword, Take()}));
    } else if (AtWord("approvals")) {
      lines.push_back(Approvals());
    } else {
      return;
    }
  }
}

LayoutId LayoutBuilder::On() {
  const LayoutId keyword = Take();
  std::vector<LayoutId> names;
  bool has_more = true;
  while (has_more) {
    const LayoutId name = TakeName(NameUse::kOnType);
    has_more = At(TokenKind::kComma);
    names.push_back(has_more ? Run({name, TakeGlued()}) : name);
  }
  return Run({keyword, Fill(names, 2)});
}

LayoutId LayoutBuilder::When() {
  const LayoutId keyword = Take();
  return Run({keyword, Expr(2)});
}

LayoutId LayoutBuilder::Approvals() {
  std::vector<LayoutId> parts = {Take(), Take()};
  if (AtWord("from")) {
    parts.push_back(Take());
    std::vector<LayoutId> roles;
    bool has_more = true;
    while (has_more) {
      const LayoutId role = TakeName(NameUse::kOther);
      has_more = At(TokenKind::kComma);
      roles.push_back(has_more ? Run({role, TakeGlued()}) : role);
    }
    parts.push_back(Fill(roles, 2));
  }
  if (AtWord("within")) {
    parts.push_back(Take());
    parts.push_back(Take());
  }
  return Run(parts);
}

LayoutId LayoutBuilder::Test() {
  const LayoutId keyword = Take();
  const LayoutId name = Take();
  std::vector<LayoutId> parts = {Take()};
  while (!At(TokenKind::kRightBrace) && !At(TokenKind::kEnd)) {
    const LayoutId word = Take();
    if (At(TokenKind::kLeftBrace)) {
      parts.push_back(Run({word, Object()}));
    } else {
      const LayoutId decision = Take();
      parts.push_back(At(TokenKind::kLeftBracket)
                          ? Run({word, decision, ListItems()})
                          : Run({word, decision}));
    }
  }
  const bool is_empty = parts.size() == 1;
  parts.push_back(is_empty ? TakeGlued() : Take());
  const LayoutId body = AddNode(Layout::kBlock, 2, parts);
  if (!is_empty) at(body).must_break = true;
  return Run({keyword, name, body});
}

LayoutId LayoutBuilder::Assert() {
  const LayoutId keyword = Take();
  const LayoutId name = Take();
  std::vector<LayoutId> scopes;
  if (AtWord("on")) scopes.push_back(On());
  if (AtWord("when")) scopes.push_back(When());
  if (scopes.empty()) {
    const LayoutId head = Run({keyword, name, TakeGlued()});
    return Lines({head, Claim()}, 2);
  }
  const LayoutId head = Run({keyword, name});
  scopes.back() = Run({scopes.back(), TakeGlued()});
  scopes.push_back(Claim());
  const LayoutId result = Lines({head, Lines(scopes, 0)}, 2);
  at(result).must_break = true;
  return result;
}

// `decision == D`, or `decision in {D, …}`.
LayoutId LayoutBuilder::Claim() {
  const LayoutId decision = Take();
  const LayoutId op = Take();
  return Run({decision, op, At(TokenKind::kLeftBrace) ? Set() : Take()});
}

LayoutId LayoutBuilder::Type() {
  std::vector<LayoutId> parts;
  if (At(TokenKind::kLeftBrace)) {
    parts.push_back(Fields());
  } else {
    parts.push_back(Take());
    if (At(TokenKind::kLess)) {
      parts.push_back(TakeGlued());
      parts.push_back(Glue(Type()));
      parts.push_back(TakeGlued());
    } else if (At(TokenKind::kLeftParen)) {
      parts.push_back(TakeGlued());
      std::vector<LayoutId> members;
      while (!At(TokenKind::kRightParen) && !At(TokenKind::kEnd)) {
        members.push_back(WithComma(TakeName(NameUse::kOther)));
      }
      if (!members.empty()) parts.push_back(Glue(Fill(members, 2)));
      parts.push_back(TakeGlued());
    }
  }
  if (At(TokenKind::kQuestion)) parts.push_back(TakeGlued());
  return Run(parts);
}

// `{ name: type, name: type }`; on lines of their own fields have no commas.
LayoutId LayoutBuilder::Fields() {
  std::vector<LayoutId> parts = {Take()};
  while (!At(TokenKind::kRightBrace) && !At(TokenKind::kEnd)) {
    const LayoutId name = TakeName(NameUse::kField);
    const LayoutId colon = TakeGlued();
    parts.push_back(Run({name, colon, Type()}));
    if (At(TokenKind::kComma)) ++pos_;
    if (At(TokenKind::kRightBrace)) break;
    FormatToken comma;
    comma.kind = TokenKind::kComma;
    comma.text = ",";
    comma.has_space = false;
    comma.is_field_comma = true;
    AddToken(comma);
  }
  parts.push_back(parts.size() == 1 ? TakeGlued() : Take());
  return AddNode(Layout::kBlock, 2, parts);
}

LayoutId LayoutBuilder::Object() {
  if (At(TokenKind::kLeftBrace)) return ObjectMembers();
  if (At(TokenKind::kLeftBracket)) return ListItems();
  return Unary();
}

LayoutId LayoutBuilder::ObjectMembers() {
  std::vector<LayoutId> parts = {Take()};
  while (!At(TokenKind::kRightBrace) && !At(TokenKind::kEnd)) {
    const LayoutId key = TakeName(NameUse::kField);
    const LayoutId colon = TakeGlued();
    parts.push_back(WithComma(Run({key, colon, Object()})));
  }
  parts.push_back(parts.size() == 1 ? TakeGlued() : Take());
  return AddNode(Layout::kBlock, 2, parts);
}

// `[a, b]`: lists of objects and lists have a line for each, others are
// packed.
LayoutId LayoutBuilder::ListItems() {
  std::vector<LayoutId> parts = {Take()};
  Layout layout = Layout::kPackedBlock;
  while (!At(TokenKind::kRightBracket) && !At(TokenKind::kEnd)) {
    if (At(TokenKind::kLeftBrace) || At(TokenKind::kLeftBracket)) {
      layout = Layout::kBlock;
    }
    parts.push_back(WithComma(Object()));
  }
  if (parts.size() > 1) Glue(parts[1]);
  parts.push_back(TakeGlued());
  return AddNode(layout, 2, parts);
}

}  // namespace sgl
