#include "tools/sgl/lsp/scope.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sgl::tools {
namespace {

// More lines above a name are a chapter's heading, not its comment.
constexpr int kCommentLinesMax = 20;

const BindingSyntax* FindBinding(const std::vector<BindingSyntax>& bindings,
                                 absl::string_view name) {
  for (const BindingSyntax& binding : bindings) {
    if (binding.name.text == name) return &binding;
  }
  return nullptr;
}

// Returns the text of a line that is a comment alone; null data for others.
absl::string_view CommentOfLine(absl::string_view line) {
  const absl::string_view text = absl::StripAsciiWhitespace(line);
  if (!absl::StartsWith(text, "//")) return {};
  return absl::StripAsciiWhitespace(text.substr(2));
}

// Returns where a comment starts behind byte `from` of a line, or npos. A `//`
// in a text or a regex of the same line is taken for none.
size_t FindComment(absl::string_view line, size_t from) {
  bool is_text = false;
  for (size_t i = from; i + 1 < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      is_text = !is_text;
    } else if (!is_text && line[i] == '/' && line[i + 1] == '/') {
      return i;
    }
  }
  return absl::string_view::npos;
}

}  // namespace

Scope::Scope(const Analysis& analysis, FileId file) : ast_(analysis.ast(file)) {
  for (const Ast& other : analysis.files) {
    const bool is_platform = other.layer == LayerKind::kPlatform;
    const bool is_own = ast_.layer == LayerKind::kTenant &&
                        other.tenant_slug.text == ast_.tenant_slug.text;
    if (!is_platform && !is_own) continue;
    for (const IntentSyntax& item : other.intents) {
      (item.is_star ? stars_ : types_).push_back({&other, &item});
    }
  }
}

std::vector<TypeDeclaration> Scope::FindType(absl::string_view name) const {
  std::vector<TypeDeclaration> found;
  for (const TypeDeclaration& type : types_) {
    if (type.item->name.text == name) found.push_back(type);
  }
  return found;
}

const BindingSyntax* Scope::FindConst(absl::string_view name) const {
  return FindBinding(ast_.consts, name);
}

const BindingSyntax* Scope::FindDef(absl::string_view name) const {
  return FindBinding(ast_.defs, name);
}

OnClause Scope::Resolve(bool has_on, const std::vector<Name>& on) const {
  OnClause clause;
  clause.is_absent = !has_on;
  const auto add = [&clause, this](const Expr& value) {
    if (value.kind == ExprKind::kString) {
      clause.types.emplace_back(ast_.text(value));
    } else if (value.kind == ExprKind::kPath && value.step_count == 1) {
      clause.types.push_back(ast_.step(value, 0).text);
    }
  };
  for (const Name& name : on) {
    const BindingSyntax* item = name.is_quoted ? nullptr : FindConst(name.text);
    if (item == nullptr) {
      clause.types.push_back(name.text);
      continue;
    }
    const Expr& value = ast_.expr(item->value);
    if (value.kind != ExprKind::kSet) add(value);
    for (int i = 0; value.kind == ExprKind::kSet && i < value.child_count;
         ++i) {
      add(ast_.expr(ast_.child(value, i)));
    }
  }
  return clause;
}

FieldDeclarations Scope::PayloadFields(const OnClause& on) const {
  FieldDeclarations fields;
  for (const TypeDeclaration& star : stars_) {
    for (const FieldSyntax& field : star.item->fields) {
      fields.push_back({star.ast, &field, "*"});
    }
  }
  if (on.is_absent && !on.is_any) return fields;
  const std::set<std::string> wanted(on.types.begin(), on.types.end());
  std::set<std::string> known;
  FieldDeclarations found;
  std::map<absl::string_view, std::set<std::string>> owners;
  for (const TypeDeclaration& type : types_) {
    const std::string& name = type.item->name.text;
    if (!on.is_any && !wanted.contains(name)) continue;
    known.insert(name);
    for (const FieldSyntax& field : type.item->fields) {
      found.push_back({type.ast, &field, name});
      owners[field.name.text].insert(name);
    }
  }
  for (FieldDeclaration& field : found) {
    const auto of = owners.find(field.field->name.text);
    if (on.is_any || of->second.size() == known.size()) {
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

FieldDeclarations Scope::FieldsOf(const FieldDeclarations& declarations,
                                  bool is_element) const {
  FieldDeclarations fields;
  for (const FieldDeclaration& declaration : declarations) {
    const Ast& ast = *declaration.ast;
    TypeExprId id = declaration.field->type;
    if (id == TypeExprId::kNone) continue;
    if (is_element && ast.type(id).kind == TypeExpr::Kind::kList) {
      id = ast.type(id).element;
      if (id == TypeExprId::kNone) continue;
    } else if (is_element) {
      continue;
    }
    for (const FieldSyntax& field : ast.type(id).fields) {
      fields.push_back(
          {&ast, &field,
           absl::StrCat(declaration.owner, ".", declaration.field->name.text)});
    }
  }
  return fields;
}

FieldDeclarations Scope::Named(const FieldDeclarations& fields,
                               absl::string_view name) {
  FieldDeclarations found;
  for (const FieldDeclaration& field : fields) {
    if (field.field->name.text == name) found.push_back(field);
  }
  return found;
}

absl::string_view TypeText(const SourceSet& sources, const Ast& ast,
                           const FieldSyntax& field) {
  if (field.type == TypeExprId::kNone) return "";
  const Span span = ast.type(field.type).span;
  return span.file == FileId::kNone ? "" : sources.TextAt(span);
}

std::string DocComment(const SourceSet& sources, Span name) {
  const int line = sources.Locate(name.file, name.begin).line;
  const absl::string_view text = sources.Line(name.file, line);
  const auto column = static_cast<size_t>(sources.text(name.file).data() +
                                          name.begin - text.data());
  std::vector<absl::string_view> lines;
  const bool is_first =
      text.substr(0, column).find_first_of("{,") == absl::string_view::npos;
  for (int above = line - 1; is_first && above > 0; --above) {
    const absl::string_view comment =
        CommentOfLine(sources.Line(name.file, above));
    if (comment.data() == nullptr || line - above > kCommentLinesMax) break;
    lines.push_back(comment);
  }
  std::reverse(lines.begin(), lines.end());
  const size_t behind = FindComment(text, column);
  if (behind != absl::string_view::npos) {
    lines.push_back(absl::StripAsciiWhitespace(text.substr(behind + 2)));
  }
  std::string comment;
  for (const absl::string_view part : lines) {
    absl::StrAppend(&comment, comment.empty() ? "" : "\n", part);
  }
  return comment;
}

}  // namespace sgl::tools
