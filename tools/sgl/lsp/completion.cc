#include "tools/sgl/lsp/completion.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "policy/lex/lexer.h"
#include "tools/sgl/lsp/cursor.h"
#include "tools/sgl/lsp/hover.h"
#include "tools/sgl/lsp/scope.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {
namespace {

constexpr std::initializer_list<absl::string_view> kDecisions = {
    "allow", "review", "block"};

bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(name, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

// Makes the candidates for one cursor.
class Completer {
 public:
  Completer(const Analysis& analysis, FileId file, int32_t byte)
      : analysis_(analysis),
        scope_(analysis, file),
        cursor_(analysis.sources, file, byte) {}

  std::vector<Completion> Run() {
    if (cursor_.is_closed()) return {};
    const int last = cursor_.size() - 1;
    if (cursor_.IsKind(last, TokenKind::kDot)) {
      AddFieldsOf(last - 1);
      return std::move(items_);
    }
    const bool is_index =
        cursor_.IsKind(last, TokenKind::kLeftBracket) && !IsCodeList(last);
    if (is_index) {
      if (cursor_.is_quoted()) AddFieldsOf(last - 1);
      return std::move(items_);
    }
    AddOfItem();
    const bool is_item_place = cursor_.starts_line() && cursor_.depth() == 0 &&
                               !cursor_.is_quoted() && EndsOperand(last);
    if (is_item_place) AddKeywords(WordRole::kItem);
    if (cursor_.is_quoted()) KeepQuotable();
    return std::move(items_);
  }

 private:
  // Returns whether an item, a clause or an operator can follow the token.
  bool EndsOperand(int number) const {
    if (number < 0) return true;
    switch (cursor_.at(number).kind) {
      case TokenKind::kWord: {
        const Keyword* const word = FindKeyword(cursor_.at(number).word);
        if (cursor_.IsKind(number - 1, TokenKind::kDot)) return true;
        return word == nullptr ||
               (word->role != WordRole::kOperator &&
                word->role != WordRole::kClause &&
                !IsOneOf(word->name, {"not", "has", "any", "all", "count"}));
      }
      case TokenKind::kInt:
      case TokenKind::kDecimal:
      case TokenKind::kUsd:
      case TokenKind::kDuration:
      case TokenKind::kTimestamp:
      case TokenKind::kString:
      case TokenKind::kRegex:
      case TokenKind::kRightBrace:
      case TokenKind::kRightParen:
      case TokenKind::kRightBracket:
      case TokenKind::kQuestion:
        return true;
      default:
        return false;
    }
  }

  Completion& Add(absl::string_view label, CompletionKind kind) {
    Completion item;
    item.label = std::string(label);
    item.kind = kind;
    item.text = item.label;
    item.span = cursor_.typed();
    items_.push_back(std::move(item));
    return items_.back();
  }

  void AddWords(std::initializer_list<absl::string_view> words) {
    for (const absl::string_view word : words) {
      Completion& item = Add(word, CompletionKind::kKeyword);
      if (const Keyword* keyword = FindKeyword(word)) {
        item.markdown = std::string(keyword->summary);
      }
    }
  }

  void AddKeywords(WordRole role) {
    for (const Keyword& keyword : Keywords()) {
      if (keyword.role == role) AddWords({keyword.name});
    }
  }

  // Adds a name that is quoted where it is no word.
  Completion& AddName(absl::string_view name, CompletionKind kind) {
    Completion& item = Add(name, kind);
    if (cursor_.is_quoted() || !IsWord(name)) item.text = Quoted(name);
    if (cursor_.is_quoted()) item.filter = item.text;
    return item;
  }

  // Within quotes only names make sense.
  void KeepQuotable() {
    items_.erase(std::remove_if(items_.begin(), items_.end(),
                                [](const Completion& item) {
                                  return !absl::StartsWith(item.text, "\"");
                                }),
                 items_.end());
  }

  void AddTypes() {
    std::set<std::string> seen;
    for (const TypeDeclaration& type : scope_.types()) {
      const std::string& name = type.item->name.text;
      if (!seen.insert(name).second) continue;
      AddName(name, CompletionKind::kClass).markdown =
          DocComment(analysis_.sources, type.item->name.span);
    }
  }

  void AddSetConsts() {
    for (const BindingSyntax& item : scope_.ast().consts) {
      const ExprKind kind = scope_.ast().expr(item.value).kind;
      if (kind == ExprKind::kSet || kind == ExprKind::kPath ||
          kind == ExprKind::kString) {
        Add(item.name.text, CompletionKind::kConstant);
      }
    }
  }

  void AddCodes() {
    std::set<std::string> seen;
    for (const Ast& ast : analysis_.files) {
      for (const RuleSyntax& rule : ast.rules) seen.insert(rule.code.text);
      for (const LimitSyntax& limit : ast.limits) {
        seen.insert(limit.rule.code.text);
      }
    }
    for (const absl::string_view code :
         {"DEFAULT", "EVALUATION_FAULT", "INVALID_PAYLOAD",
          "UNKNOWN_INTENT_TYPE"}) {
      seen.insert(std::string(code));
    }
    for (const std::string& code : seen) Add(code, CompletionKind::kValue);
  }

  void AddFields(const FieldDeclarations& fields) {
    std::set<std::string> seen;
    for (const FieldDeclaration& field : fields) {
      const std::string& name = field.field->name.text;
      if (!seen.insert(name).second) continue;
      Completion& item = AddName(name, CompletionKind::kField);
      item.detail =
          std::string(TypeText(analysis_.sources, *field.ast, *field.field));
      item.markdown = DescribeField(analysis_, field);
      const int last = cursor_.size() - 1;
      if (!IsWord(name) && cursor_.IsKind(last, TokenKind::kDot)) {
        item.text = absl::StrCat("[", Quoted(name), "]");
        item.filter = absl::StrCat(".", name);
        item.span.begin = cursor_.at(last).span.begin;
      }
    }
  }

  OnClause On() const {
    bool has_on = false;
    const std::vector<Name> names = cursor_.OnNames(&has_on);
    OnClause on = scope_.Resolve(has_on, names);
    on.is_any = IsOneOf(cursor_.WordAt(0), {"def", "test"});
    return on;
  }

  // Returns what a name that any/all/count binds left of a token walks.
  FieldDeclarations ListOf(absl::string_view variable, int before) const {
    for (int i = before - 3; i >= 0; --i) {
      const bool binds = IsOneOf(cursor_.WordAt(i), {"any", "all", "count"}) &&
                         cursor_.IsWord(i + 1, variable) &&
                         cursor_.IsWord(i + 2, "in");
      if (!binds) continue;
      int end = i + 3;
      while (cursor_.IsKind(end + 1, TokenKind::kDot)) end += 2;
      int begin = 0;
      return Resolve(cursor_.PathAt(end, &begin), i);
    }
    return {};
  }

  // Returns the declarations that a path of the payload or of a bound name
  // leads to.
  FieldDeclarations Resolve(const std::vector<std::string>& path,
                            int before) const {
    if (path.size() < 2) return {};
    FieldDeclarations next = path[0] == "payload"
                                 ? scope_.PayloadFields(On())
                                 : ElementFields(path[0], before);
    FieldDeclarations at;
    for (size_t i = 1; i < path.size(); ++i) {
      at = Scope::Named(next, path[i]);
      next = scope_.FieldsOf(at, false);
    }
    return at;
  }

  FieldDeclarations ElementFields(absl::string_view name, int before) const {
    return scope_.FieldsOf(ListOf(name, before), true);
  }

  // Adds the fields of the path that ends at a token.
  void AddFieldsOf(int last) {
    int begin = 0;
    const std::vector<std::string> path = cursor_.PathAt(last, &begin);
    if (path.empty()) return;
    if (path.size() > 1) {
      return AddFields(scope_.FieldsOf(Resolve(path, begin), false));
    }
    if (path[0] == "payload") return AddFields(scope_.PayloadFields(On()));
    AddFields(ElementFields(path[0], begin));
    AddRootFields(path[0]);
  }

  void AddRootFields(absl::string_view root) {
    const std::string prefix = absl::StrCat(root, ".");
    for (const RootWord& word : RootWords()) {
      absl::string_view name = word.name;
      if (!absl::ConsumePrefix(&name, prefix)) continue;
      Completion& item = Add(name, CompletionKind::kField);
      item.detail = std::string(word.type);
      item.markdown = std::string(word.summary);
    }
  }

  void AddOfItem() {
    const absl::string_view item = cursor_.WordAt(0);
    if (cursor_.size() == 0) return AddWords({"policy"});
    if (item == "policy") return AddOfHead();
    if (item == "default") {
      if (cursor_.size() == 1) AddWords(kDecisions);
    } else if (item == "intent") {
      AddOfIntent();
    } else if (item == "test") {
      AddOfTest();
    } else if (item == "const") {
      const int last = cursor_.size() - 1;
      if (cursor_.depth() > 0 || cursor_.IsKind(last, TokenKind::kAssign)) {
        AddTypes();
      }
    } else if (item == "def") {
      if (cursor_.size() > 2) AddExpr();
    } else {
      AddOfRule();
    }
  }

  void AddOfHead() {
    const int last = cursor_.size() - 1;
    if (cursor_.IsWord(last, "layer")) return AddWords({"platform", "tenant"});
    if (last == 0 || cursor_.IsWord(last, "version")) return;
    AddWords({cursor_.IsKind(last, TokenKind::kInt) ? "layer" : "version"});
  }

  void AddOfIntent() {
    const int last = cursor_.size() - 1;
    if (cursor_.IsKind(last, TokenKind::kColon) ||
        cursor_.IsKind(last, TokenKind::kLess)) {
      AddKeywords(WordRole::kType);
    }
  }

  // Returns whether a `[` opens the codes of an `expect`.
  bool IsCodeList(int bracket) const {
    return bracket >= 2 && cursor_.IsWord(bracket - 2, "expect");
  }

  void AddOfTest() {
    const int last = cursor_.size() - 1;
    const int open = cursor_.innermost();
    if (open < 0) return;
    if (cursor_.IsKind(open, TokenKind::kLeftBracket)) {
      if (IsCodeList(open)) AddCodes();
    } else if (cursor_.IsWord(last, "expect") && cursor_.depth() == 1) {
      AddWords(kDecisions);
    } else if (cursor_.depth() == 1) {
      AddWords({"given", "expect"});
    } else if (cursor_.IsKind(last, TokenKind::kColon)) {
      AddOfGivenValue(cursor_.WordAt(last - 1));
    } else if (last == open || cursor_.IsKind(last, TokenKind::kComma) ||
               cursor_.starts_line()) {
      AddOfGivenKey(cursor_.WordAt(open - 2), cursor_.depth());
    }
  }

  void AddOfGivenValue(absl::string_view key) {
    if (key == "type") return AddTypes();
    for (const RootWord& word : RootWords()) {
      if (!absl::EndsWith(word.name, absl::StrCat(".", key))) continue;
      AddMembers(word.type);
    }
    AddWords({"true", "false"});
  }

  void AddOfGivenKey(absl::string_view root, int depth) {
    if (depth == 2) {
      return AddWords({"intent", "agent", "tenant", "budget", "now"});
    }
    if (root == "payload") {
      OnClause any;
      any.is_any = true;
      return AddFields(scope_.PayloadFields(any));
    }
    AddRootFields(root);
    if (root == "intent") AddWords({"payload"});
  }

  void AddOfRule() {
    const int last = cursor_.size() - 1;
    const bool is_limit = cursor_.IsWord(0, "limit");
    const absl::string_view clause = cursor_.clause();
    if (last == 0) return;  // the code's name is the author's
    if (cursor_.IsWord(0, "assert") && clause != "when" &&
        cursor_.IsKind(last, TokenKind::kColon)) {
      return AddWords({"decision"});
    }
    if (clause == "when" || cursor_.depth() > 0) return AddExpr();
    if (cursor_.IsWord(0, "assert") &&
        !cursor_.IsKind(last, TokenKind::kString) && clause != "on") {
      return AddExpr();
    }
    if (clause == "on" && (cursor_.IsWord(last, "on") ||
                           cursor_.IsKind(last, TokenKind::kComma))) {
      AddTypes();
      return AddSetConsts();
    }
    if (clause == "per" && cursor_.IsWord(last, "per")) {
      if (cursor_.IsWord(last - 2, "per")) return;  // a duration comes
      return AddWords({"agent", "tenant", "platform"});
    }
    if (clause == "else" && cursor_.IsWord(last, "else")) {
      return AddWords({"review", "block"});
    }
    if (!EndsOperand(last)) return;
    if (is_limit && clause.empty()) {
      if (last == 1) return;  // the amount comes
      return AddWords({"of", "per"});
    }
    if (clause == "per" && !cursor_.IsKind(last, TokenKind::kDuration)) {
      return AddWords({"per"});
    }
    AddClauses();
  }

  // Adds the clauses that can follow the one at the cursor.
  void AddClauses() {
    const absl::string_view clause = cursor_.clause();
    const bool is_limit = cursor_.IsWord(0, "limit");
    const bool is_assert = cursor_.IsWord(0, "assert");
    if (clause.empty() || clause == "per") AddWords({"on"});
    if (clause.empty() || clause == "per" || clause == "on") {
      AddWords({"when"});
    }
    if (is_assert) return;
    if (is_limit && IsOneOf(clause, {"per", "on", "when"})) {
      return AddWords({"else"});
    }
    if (clause == "approvals") AddWords({"from"});
    if (IsOneOf(clause, {"approvals", "from"})) AddWords({"within"});
    AddWords({"risk", "approvals"});
  }

  void AddExpr() {
    const int last = cursor_.size() - 1;
    if (EndsOperand(last) && !cursor_.IsWord(last, "when")) {
      AddKeywords(WordRole::kOperator);
      AddWords({"not"});
      if (cursor_.clause() == "when" && cursor_.depth() == 0) AddClauses();
      return;
    }
    AddLikeLeft(last);
    // A set holds constants only.
    if (cursor_.IsKind(cursor_.innermost(), TokenKind::kLeftBrace)) return;
    for (const BindingSyntax& item : scope_.ast().defs) {
      Add(item.name.text, CompletionKind::kVariable);
    }
    for (const BindingSyntax& item : scope_.ast().consts) {
      Add(item.name.text, CompletionKind::kConstant);
    }
    for (int i = 1; i + 1 < cursor_.size(); ++i) {
      const bool binds =
          IsOneOf(cursor_.WordAt(i - 1), {"any", "all", "count"}) &&
          cursor_.IsWord(i + 1, "in");
      if (binds) Add(cursor_.WordAt(i), CompletionKind::kVariable);
    }
    for (const RootWord& word : RootWords()) {
      if (absl::StrContains(word.name, ".")) continue;
      Add(word.name, CompletionKind::kVariable).markdown =
          std::string(word.summary);
    }
    for (const FunctionWord& word : FunctionWords()) {
      Completion& item = Add(word.name, CompletionKind::kFunction);
      item.detail = std::string(word.signature);
      item.markdown = std::string(word.summary);
    }
    AddKeywords(WordRole::kPrefix);
    if (cursor_.IsWord(0, "assert")) AddWords({"decision"});
  }

  // Adds what can be compared with the path left of `==`, `!=`, `in`, or of
  // the set at the cursor: types, or the members of its enum.
  void AddLikeLeft(int last) {
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
    if (path.size() == 1 && path[0] == "decision") return AddWords(kDecisions);
    if (path.size() < 2) return;
    const std::string name = absl::StrCat(path[0], ".", path[1]);
    if (name == "intent.type") return AddTypes();
    if (const RootWord* root = FindRoot(name)) return AddMembers(root->type);
    for (const FieldDeclaration& field : Resolve(path, begin)) {
      for (const Name& member : field.ast->type(field.field->type).members) {
        AddName(member.text, CompletionKind::kEnumMember);
      }
    }
  }

  // Adds the members of a root field's `enum(A, B)`.
  void AddMembers(absl::string_view type) {
    if (!absl::ConsumePrefix(&type, "enum(")) return;
    absl::ConsumeSuffix(&type, ")");
    for (const absl::string_view member : absl::StrSplit(type, ", ")) {
      Add(member, CompletionKind::kEnumMember);
    }
  }

  const Analysis& analysis_;
  const Scope scope_;
  const Cursor cursor_;
  std::vector<Completion> items_;
};

}  // namespace

std::vector<Completion> CompleteAt(const Analysis& analysis, FileId file,
                                   int32_t byte) {
  return Completer(analysis, file, byte).Run();
}

}  // namespace sgl::tools
