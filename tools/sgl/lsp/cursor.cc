#include "tools/sgl/lsp/cursor.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

#include "policy/diagnostics/diagnostic.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tools {

Cursor::Cursor(const SourceSet& sources, FileId file, int32_t byte)
    : typed_{file, byte, byte} {
  Diagnostics ignored;
  Lexer lexer(sources, file, ignored);
  for (Token token = lexer.Next();
       token.kind != TokenKind::kEnd && token.span.begin < byte;
       token = lexer.Next()) {
    tokens_.push_back(std::move(token));
  }
  TakeTyped(sources, byte);
  const absl::string_view text = sources.text(file);
  const absl::string_view before =
      text.substr(0, static_cast<size_t>(typed_.begin));
  const size_t line = before.rfind('\n') + 1;  // npos + 1 is 0
  starts_line_ =
      before.find_first_not_of(" \t\r", line) == absl::string_view::npos;
  const size_t end =
      tokens_.empty() ? 0 : static_cast<size_t>(tokens_.back().span.end);
  if (end < before.size() &&
      absl::StrContains(before.substr(std::max(end, line)), "//")) {
    is_closed_ = true;
  }
  for (int i = size() - 1; i >= 0; --i) {
    if (!IsItemStart(i)) continue;
    tokens_.erase(tokens_.begin(), tokens_.begin() + i);
    break;
  }
  FindClause();
}

// Sets the token at the cursor apart if it is a name that is being written.
void Cursor::TakeTyped(const SourceSet& sources, int32_t byte) {
  if (tokens_.empty() || tokens_.back().span.end < byte) return;
  const Token& last = tokens_.back();
  if (last.kind == TokenKind::kWord) {
    typed_ = last.span;
    tokens_.pop_back();
    return;
  }
  const bool is_open = last.kind == TokenKind::kError;
  if (last.span.end == byte && !is_open) return;
  if (last.kind == TokenKind::kRegex) {
    is_closed_ = true;
  } else if (last.kind == TokenKind::kString ||
             (is_open && absl::StartsWith(sources.TextAt(last.span), "\""))) {
    EnterText(sources, byte);
  }
}

// The cursor stands in a text: in what it interpolates, or in a quoted name.
void Cursor::EnterText(const SourceSet& sources, int32_t byte) {
  const Token text = std::move(tokens_.back());
  tokens_.pop_back();
  for (const StringPart& part : text.parts) {
    if (!part.is_interpolation || byte < part.span.begin ||
        byte > part.span.end) {
      continue;
    }
    Diagnostics ignored;
    Lexer lexer(sources, part.span, ignored);
    for (Token token = lexer.Next();
         token.kind != TokenKind::kEnd && token.span.begin < byte;
         token = lexer.Next()) {
      tokens_.push_back(std::move(token));
    }
    if (!tokens_.empty() && tokens_.back().kind == TokenKind::kWord &&
        tokens_.back().span.end >= byte) {
      typed_ = tokens_.back().span;
      tokens_.pop_back();
    }
    return;
  }
  typed_ = text.span;
  is_quoted_ = true;
}

bool Cursor::IsWord(int number, absl::string_view word) const {
  return IsKind(number, TokenKind::kWord) && at(number).word == word;
}

bool Cursor::IsKind(int number, TokenKind kind) const {
  return number >= 0 && number < size() && at(number).kind == kind;
}

absl::string_view Cursor::WordAt(int number) const {
  return IsKind(number, TokenKind::kWord) ? at(number).word
                                          : absl::string_view();
}

bool Cursor::EndsOperand(int number) const {
  if (number < 0) return true;
  switch (at(number).kind) {
    case TokenKind::kWord: {
      const Keyword* const word = FindKeyword(at(number).word);
      if (IsKind(number - 1, TokenKind::kDot)) return true;
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

// Goes by the parser's rule; at the cursor what follows is still to come.
bool Cursor::IsItemStart(int number) const {
  const absl::string_view word = WordAt(number);
  if (!at(number).starts_line || IsWord(number - 1, "else")) return false;
  const bool is_last = number + 1 == size();
  const auto follows = [&](TokenKind kind) {
    return is_last || IsKind(number + 1, kind);
  };
  if (IsOneOf(word, {"block", "review", "allow", "limit", "default", "const",
                     "def"})) {
    return follows(TokenKind::kWord);
  }
  if (word == "intent") {
    return follows(TokenKind::kWord) || follows(TokenKind::kString) ||
           follows(TokenKind::kStar);
  }
  return IsOneOf(word, {"test", "assert"}) && follows(TokenKind::kString);
}

void Cursor::FindClause() {
  for (int i = 0; i < size(); ++i) {
    switch (at(i).kind) {
      case TokenKind::kLeftBrace:
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBracket:
        open_.push_back(i);
        break;
      case TokenKind::kRightBrace:
      case TokenKind::kRightParen:
      case TokenKind::kRightBracket:
        if (!open_.empty()) open_.pop_back();
        break;
      case TokenKind::kWord:
        if (open_.empty() && i > 1 && !IsKind(i - 1, TokenKind::kDot) &&
            IsOneOf(at(i).word, {"on", "when", "risk", "approvals", "from",
                                 "within", "per", "else"})) {
          clause_ = at(i).word;
        }
        break;
      default:
        break;
    }
  }
}

std::vector<Name> Cursor::OnNames(bool* has_on) const {
  std::vector<Name> names;
  *has_on = false;
  for (int i = 2; i < size(); ++i) {
    if (*has_on && IsKind(i, TokenKind::kComma)) continue;
    const bool is_name =
        *has_on && (names.empty() || IsKind(i - 1, TokenKind::kComma));
    if (is_name && IsKind(i, TokenKind::kWord)) {
      names.push_back({std::string(at(i).word), at(i).span, false});
    } else if (is_name && IsKind(i, TokenKind::kString)) {
      names.push_back({at(i).text, at(i).span, true});
    } else if (*has_on || IsWord(i, "when")) {
      break;
    } else {
      *has_on = IsWord(i, "on");
    }
  }
  return names;
}

std::vector<std::string> Cursor::PathAt(int last, int* begin) const {
  std::vector<std::string> steps;
  int i = last;
  while (true) {
    if (IsKind(i, TokenKind::kWord)) {
      steps.emplace_back(at(i).word);
      if (!IsKind(i - 1, TokenKind::kDot)) break;
      i -= 2;
    } else if (IsKind(i, TokenKind::kRightBracket) &&
               IsKind(i - 1, TokenKind::kString) &&
               IsKind(i - 2, TokenKind::kLeftBracket)) {
      steps.push_back(at(i - 1).text);
      i -= 3;
    } else {
      return {};
    }
  }
  *begin = i;
  std::reverse(steps.begin(), steps.end());
  return steps;
}

}  // namespace sgl::tools
