#include "tools/sgl/lsp/candidates.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <set>

#include "policy/lex/lexer.h"
#include "tools/sgl/lsp/hover.h"

namespace sgl::tools {
namespace {

std::string Quoted(absl::string_view name) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(name, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace

Completion& Candidates::Add(absl::string_view label, CompletionKind kind) {
  Completion item;
  item.label = std::string(label);
  item.kind = kind;
  item.text = item.label;
  item.span = cursor_.typed();
  items_.push_back(std::move(item));
  return items_.back();
}

Completion& Candidates::AddName(absl::string_view name, CompletionKind kind) {
  Completion& item = Add(name, kind);
  if (cursor_.is_quoted() || !IsWord(name)) item.text = Quoted(name);
  if (cursor_.is_quoted()) item.filter = item.text;
  return item;
}

void Candidates::AddWords(std::initializer_list<absl::string_view> words) {
  for (const absl::string_view word : words) {
    Completion& item = Add(word, CompletionKind::kKeyword);
    if (const Keyword* keyword = FindKeyword(word)) {
      item.markdown = std::string(keyword->summary);
    }
  }
}

void Candidates::AddKeywords(WordRole role) {
  for (const Keyword& keyword : Keywords()) {
    if (keyword.role == role) AddWords({keyword.name});
  }
}

void Candidates::AddTypes() {
  std::set<std::string> seen;
  for (const TypeDeclaration& type : scope_.types()) {
    const std::string& name = type.item->name.text;
    if (!seen.insert(name).second) continue;
    AddName(name, CompletionKind::kClass).markdown =
        DocComment(analysis_.sources, type.item->name.span);
  }
}

void Candidates::AddSetConsts() {
  for (const BindingSyntax& item : scope_.ast().consts) {
    const ExprKind kind = scope_.ast().expr(item.value).kind;
    if (kind == ExprKind::kSet || kind == ExprKind::kPath ||
        kind == ExprKind::kString) {
      Add(item.name.text, CompletionKind::kConstant);
    }
  }
}

void Candidates::AddCodes() {
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

void Candidates::AddRoles() {
  std::set<std::string> roles;
  const auto add = [&roles](const RuleSyntax& rule) {
    for (const ApprovalsSyntax& demand : rule.approvals) {
      for (const Name& role : demand.roles) roles.insert(role.text);
    }
  };
  for (const Ast& ast : analysis_.files) {
    for (const RuleSyntax& rule : ast.rules) add(rule);
    for (const LimitSyntax& limit : ast.limits) add(limit.rule);
  }
  for (const std::string& role : roles) AddName(role, CompletionKind::kValue);
}

void Candidates::AddFields(const FieldDeclarations& fields) {
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

void Candidates::AddRootFields(absl::string_view root) {
  const std::string prefix = absl::StrCat(root, ".");
  for (const RootWord& word : RootWords()) {
    absl::string_view name = word.name;
    if (!absl::ConsumePrefix(&name, prefix)) continue;
    Completion& item = Add(name, CompletionKind::kField);
    item.detail = std::string(word.type);
    item.markdown = std::string(word.summary);
  }
}

void Candidates::AddMembers(absl::string_view type) {
  if (!absl::ConsumePrefix(&type, "enum(")) return;
  absl::ConsumeSuffix(&type, ")");
  for (const absl::string_view member : absl::StrSplit(type, ", ")) {
    Add(member, CompletionKind::kEnumMember);
  }
}

void Candidates::AddZones(absl::Span<const std::string> names) {
  for (const std::string& name : names) {
    Completion& item = Add(name, CompletionKind::kValue);
    item.text = Quoted(name);
    if (cursor_.is_quoted()) item.filter = item.text;
  }
}

void Candidates::KeepQuotable() {
  items_.erase(std::remove_if(items_.begin(), items_.end(),
                              [](const Completion& item) {
                                return !absl::StartsWith(item.text, "\"");
                              }),
               items_.end());
}

}  // namespace sgl::tools
