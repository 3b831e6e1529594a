#include "tools/sgl/lsp/expr_completion.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <vector>

#include "policy/lex/lexer.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {

void ExprCompletion::AddFieldsOf(int last) {
  int begin = 0;
  const std::vector<std::string> path = cursor_.PathAt(last, &begin);
  if (path.empty()) return;
  if (path.size() > 1) {
    return candidates_.AddFields(
        scope_.FieldsOf(paths_.Resolve(path, begin), false));
  }
  if (path[0] == "payload")
    return candidates_.AddFields(scope_.PayloadFields(paths_.On()));
  candidates_.AddFields(paths_.ElementFields(path[0], begin));
  candidates_.AddRootFields(path[0]);
}

// Returns whether the second argument of `hour` or `weekday` comes.
bool ExprCompletion::IsZonePlace(int last) const {
  const int open = cursor_.innermost();
  return cursor_.IsKind(last, TokenKind::kComma) &&
         cursor_.IsKind(open, TokenKind::kLeftParen) &&
         IsOneOf(cursor_.WordAt(open - 1), {"hour", "weekday"});
}

void ExprCompletion::AddExpr() {
  const int last = cursor_.size() - 1;
  if (cursor_.EndsOperand(last) && !cursor_.IsWord(last, "when")) {
    candidates_.AddKeywords(WordRole::kOperator);
    candidates_.AddWords({"not"});
    return;
  }
  if (IsZonePlace(last)) return candidates_.AddZones(zones_);
  AddLikeLeft(last);
  // A set holds constants only.
  if (cursor_.IsKind(cursor_.innermost(), TokenKind::kLeftBrace)) return;
  AddNames();
}

// Adds the names and functions that an operand can begin with.
void ExprCompletion::AddNames() {
  for (const BindingSyntax& item : scope_.ast().defs) {
    candidates_.Add(item.name.text, CompletionKind::kVariable);
  }
  for (const BindingSyntax& item : scope_.ast().consts) {
    candidates_.Add(item.name.text, CompletionKind::kConstant);
  }
  for (int i = 1; i + 1 < cursor_.size(); ++i) {
    const bool binds =
        IsOneOf(cursor_.WordAt(i - 1), {"any", "all", "count"}) &&
        cursor_.IsWord(i + 1, "in");
    if (binds) candidates_.Add(cursor_.WordAt(i), CompletionKind::kVariable);
  }
  for (const RootWord& word : RootWords()) {
    if (absl::StrContains(word.name, ".")) continue;
    candidates_.Add(word.name, CompletionKind::kVariable).markdown =
        std::string(word.summary);
  }
  for (const FunctionWord& word : FunctionWords()) {
    Completion& item = candidates_.Add(word.name, CompletionKind::kFunction);
    item.detail = std::string(word.signature);
    item.markdown = std::string(word.summary);
  }
  candidates_.AddKeywords(WordRole::kPrefix);
  if (cursor_.IsWord(0, "assert")) candidates_.AddWords({"decision"});
}

// Adds what can be compared with the path left of `==`, `!=`, `in`, or of
// the set at the cursor: types, or the members of its enum.
void ExprCompletion::AddLikeLeft(int last) {
  int op = last;
  const int open = cursor_.innermost();
  if (open > 0 && cursor_.IsKind(open, TokenKind::kLeftBrace)) op = open - 1;
  const bool compares = cursor_.IsKind(op, TokenKind::kEqual) ||
                        cursor_.IsKind(op, TokenKind::kNotEqual) ||
                        cursor_.IsWord(op, "in");
  if (!compares) return;
  if (cursor_.IsWord(op, "in") && cursor_.IsWord(op - 1, "not")) --op;
  int begin = 0;
  const std::vector<std::string> path = cursor_.PathAt(op - 1, &begin);
  if (path.size() == 1 && path[0] == "decision")
    return candidates_.AddWords(kDecisions);
  if (path.size() < 2) return;
  const std::string name = absl::StrCat(path[0], ".", path[1]);
  if (name == "intent.type") return candidates_.AddTypes();
  if (const RootWord* root = FindRoot(name))
    return candidates_.AddMembers(root->type);
  for (const FieldDeclaration& field : paths_.Resolve(path, begin)) {
    for (const Name& member : field.ast->type(field.field->type).members) {
      candidates_.AddName(member.text, CompletionKind::kEnumMember);
    }
  }
}

}  // namespace sgl::tools
