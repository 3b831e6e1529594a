#include "tools/sgl/lsp/completion.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "policy/lex/lexer.h"
#include "tools/sgl/lsp/cursor.h"
#include "tools/sgl/lsp/expr_completion.h"
#include "tools/sgl/lsp/scope.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {
namespace {

// Goes by the item that the cursor stands in, and its clause.
class Completer {
 public:
  Completer(const Analysis& analysis, FileId file, int32_t byte,
            absl::Span<const std::string> zones)
      : scope_(analysis, file),
        cursor_(analysis.sources, file, byte),
        candidates_(analysis, scope_, cursor_),
        expr_(scope_, cursor_, zones, candidates_) {}

  std::vector<Completion> Run() {
    if (cursor_.is_closed()) return {};
    const int last = cursor_.size() - 1;
    if (cursor_.IsKind(last, TokenKind::kDot)) {
      expr_.AddFieldsOf(last - 1);
      return candidates_.Take();
    }
    const bool is_index =
        cursor_.IsKind(last, TokenKind::kLeftBracket) && !IsCodeList(last);
    if (is_index) {
      if (cursor_.is_quoted()) expr_.AddFieldsOf(last - 1);
      return candidates_.Take();
    }
    AddOfItem();
    const bool is_item_place = cursor_.starts_line() && cursor_.depth() == 0 &&
                               !cursor_.is_quoted() &&
                               cursor_.EndsOperand(last);
    if (is_item_place) candidates_.AddKeywords(WordRole::kItem);
    if (cursor_.is_quoted()) candidates_.KeepQuotable();
    return candidates_.Take();
  }

 private:
  void AddOfItem() {
    const absl::string_view item = cursor_.WordAt(0);
    if (cursor_.size() == 0) return candidates_.AddWords({"policy"});
    if (item == "policy") return AddOfHead();
    if (item == "default") {
      if (cursor_.size() == 1) candidates_.AddWords(kDecisions);
    } else if (item == "intent") {
      AddOfIntent();
    } else if (item == "test") {
      AddOfTest();
    } else if (item == "const") {
      const int last = cursor_.size() - 1;
      if (cursor_.depth() > 0 || cursor_.IsKind(last, TokenKind::kAssign)) {
        candidates_.AddTypes();
      }
    } else if (item == "def") {
      if (cursor_.size() > 2) expr_.AddExpr();
    } else {
      AddOfRule();
    }
  }

  void AddOfHead() {
    const int last = cursor_.size() - 1;
    if (cursor_.IsWord(last, "layer"))
      return candidates_.AddWords({"platform", "tenant"});
    if (last == 0 || cursor_.IsWord(last, "version")) return;
    candidates_.AddWords(
        {cursor_.IsKind(last, TokenKind::kInt) ? "layer" : "version"});
  }

  void AddOfIntent() {
    const int last = cursor_.size() - 1;
    if (cursor_.IsKind(last, TokenKind::kColon) ||
        cursor_.IsKind(last, TokenKind::kLess)) {
      candidates_.AddKeywords(WordRole::kType);
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
      if (IsCodeList(open)) candidates_.AddCodes();
    } else if (cursor_.IsWord(last, "expect") && cursor_.depth() == 1) {
      candidates_.AddWords(kDecisions);
    } else if (cursor_.depth() == 1) {
      candidates_.AddWords({"given", "expect"});
    } else if (cursor_.IsKind(last, TokenKind::kColon)) {
      AddOfGivenValue(cursor_.WordAt(last - 1));
    } else if (last == open || cursor_.IsKind(last, TokenKind::kComma) ||
               cursor_.starts_line()) {
      AddOfGivenKey(cursor_.WordAt(open - 2), cursor_.depth());
    }
  }

  void AddOfGivenValue(absl::string_view key) {
    if (key == "type") return candidates_.AddTypes();
    for (const RootWord& word : RootWords()) {
      if (!absl::EndsWith(word.name, absl::StrCat(".", key))) continue;
      candidates_.AddMembers(word.type);
    }
    candidates_.AddWords({"true", "false"});
  }

  void AddOfGivenKey(absl::string_view root, int depth) {
    if (depth == 2) {
      return candidates_.AddWords(
          {"intent", "agent", "tenant", "budget", "now"});
    }
    if (root == "payload") {
      OnClause any;
      any.is_any = true;
      return candidates_.AddFields(scope_.PayloadFields(any));
    }
    candidates_.AddRootFields(root);
    if (root == "intent") candidates_.AddWords({"payload"});
  }

  void AddOfRule() {
    const int last = cursor_.size() - 1;
    const bool is_limit = cursor_.IsWord(0, "limit");
    const absl::string_view clause = cursor_.clause();
    if (last == 0) return;  // the code's name is the author's
    if (cursor_.IsWord(0, "assert") && clause != "when" &&
        cursor_.IsKind(last, TokenKind::kColon)) {
      return candidates_.AddWords({"decision"});
    }
    if (clause == "when" || cursor_.depth() > 0) return AddOfCondition();
    if (cursor_.IsWord(0, "assert") &&
        !cursor_.IsKind(last, TokenKind::kString) && clause != "on") {
      return expr_.AddExpr();
    }
    if (clause == "from" && (cursor_.IsWord(last, "from") ||
                             cursor_.IsKind(last, TokenKind::kComma))) {
      return candidates_.AddRoles();
    }
    if (clause == "on" && (cursor_.IsWord(last, "on") ||
                           cursor_.IsKind(last, TokenKind::kComma))) {
      candidates_.AddTypes();
      return candidates_.AddSetConsts();
    }
    if (clause == "per" && cursor_.IsWord(last, "per")) {
      if (cursor_.IsWord(last - 2, "per")) return;  // a duration comes
      return candidates_.AddWords({"agent", "tenant", "platform"});
    }
    if (clause == "else" && cursor_.IsWord(last, "else")) {
      return candidates_.AddWords({"review", "block"});
    }
    if (!cursor_.EndsOperand(last)) return;
    if (is_limit && clause.empty()) {
      if (last == 1) return;  // the amount comes
      return candidates_.AddWords({"of", "per"});
    }
    if (clause == "per" && !cursor_.IsKind(last, TokenKind::kDuration)) {
      return candidates_.AddWords({"per"});
    }
    AddClauses();
  }

  // A condition may be complete: then the next clause can follow.
  void AddOfCondition() {
    expr_.AddExpr();
    const int last = cursor_.size() - 1;
    const bool is_whole =
        cursor_.EndsOperand(last) && !cursor_.IsWord(last, "when");
    if (is_whole && cursor_.depth() == 0) AddClauses();
  }

  // Adds the clauses that can follow the one at the cursor.
  void AddClauses() {
    const absl::string_view clause = cursor_.clause();
    const bool is_limit = cursor_.IsWord(0, "limit");
    const bool is_assert = cursor_.IsWord(0, "assert");
    if (clause.empty() || clause == "per") candidates_.AddWords({"on"});
    if (clause.empty() || clause == "per" || clause == "on") {
      candidates_.AddWords({"when"});
    }
    if (is_assert) return;
    if (is_limit && IsOneOf(clause, {"per", "on", "when"})) {
      return candidates_.AddWords({"else"});
    }
    if (clause == "approvals") candidates_.AddWords({"from"});
    if (IsOneOf(clause, {"approvals", "from"}))
      candidates_.AddWords({"within"});
    candidates_.AddWords({"risk", "approvals"});
  }

  const Scope scope_;
  const Cursor cursor_;
  Candidates candidates_;
  ExprCompletion expr_;
};

}  // namespace

std::vector<Completion> CompleteAt(const Analysis& analysis, FileId file,
                                   int32_t byte,
                                   absl::Span<const std::string> zones) {
  return Completer(analysis, file, byte, zones).Run();
}

}  // namespace sgl::tools
