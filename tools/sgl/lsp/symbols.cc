#include "tools/sgl/lsp/symbols.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <optional>
#include <utility>

#include "tools/sgl/lsp/words.h"

namespace sgl::tools {
namespace {

// Walks one file's tree. Recursion is bounded by the parser's kNestingMax.
class Collector {
 public:
  Collector(const Analysis& analysis, FileId file)
      : ast_(analysis.ast(file)), scope_(analysis, file) {
    if (ast_.tests.empty()) return;
    for (const Ast& other : analysis.files) {
      for (const RuleSyntax& rule : other.rules) {
        codes_[rule.code.text].push_back(rule.code.span);
      }
      for (const LimitSyntax& limit : other.limits) {
        codes_[limit.rule.code.text].push_back(limit.rule.code.span);
      }
    }
  }

  std::vector<Symbol> Run() {
    for (const IntentSyntax& item : ast_.intents) AddIntent(item);
    on_.is_any = true;
    for (const BindingSyntax& item : ast_.consts) {
      AddBinding(SymbolKind::kConst, item);
    }
    for (const BindingSyntax& item : ast_.defs) {
      AddBinding(SymbolKind::kDef, item);
    }
    for (const RuleSyntax& rule : ast_.rules) AddRule(rule);
    for (const LimitSyntax& limit : ast_.limits) AddRule(limit.rule);
    for (const AssertSyntax& item : ast_.asserts) {
      EnterOn(item.has_on, item.on);
      Walk(item.when);
    }
    for (const TestSyntax& test : ast_.tests) AddTest(test);
    return std::move(symbols_);
  }

 private:
  struct Variable {
    Name name;
    FieldDeclarations list;
  };

  Symbol& Add(SymbolKind kind, const Name& name) {
    Symbol symbol;
    symbol.kind = kind;
    symbol.span = name.span;
    symbol.name = name.text;
    symbols_.push_back(std::move(symbol));
    return symbols_.back();
  }

  void AddBinding(SymbolKind kind, const BindingSyntax& item) {
    Symbol& symbol = Add(kind, item.name);
    symbol.declarations = {item.name.span};
    symbol.binding = &item;
    Walk(item.value);
  }

  void AddIntent(const IntentSyntax& item) {
    if (!item.is_star) AddType(item.name);
    AddFields(item.fields, item.is_star ? "*" : item.name.text);
  }

  void AddFields(const std::vector<FieldSyntax>& fields,
                 const std::string& owner) {
    for (const FieldSyntax& field : fields) {
      Symbol& symbol = Add(SymbolKind::kField, field.name);
      symbol.declarations = {field.name.span};
      symbol.fields = {{&ast_, &field, owner}};
      TypeExprId id = field.type;
      while (id != TypeExprId::kNone &&
             ast_.type(id).kind == TypeExpr::Kind::kList) {
        id = ast_.type(id).element;
      }
      if (id == TypeExprId::kNone) continue;
      AddFields(ast_.type(id).fields,
                absl::StrCat(owner, ".", field.name.text));
    }
  }

  void AddType(const Name& name) {
    Symbol& symbol = Add(SymbolKind::kType, name);
    symbol.types = scope_.FindType(name.text);
    for (const TypeDeclaration& type : symbol.types) {
      symbol.declarations.push_back(type.item->name.span);
    }
  }

  // Adds a name that stands alone: a const, a def, a type, or a symbol.
  void AddBare(const Name& name) {
    if (!name.is_quoted) {
      for (const SymbolKind kind : {SymbolKind::kConst, SymbolKind::kDef}) {
        const BindingSyntax* const item = kind == SymbolKind::kConst
                                              ? scope_.FindConst(name.text)
                                              : scope_.FindDef(name.text);
        if (item == nullptr) continue;
        Symbol& symbol = Add(kind, name);
        symbol.declarations = {item->name.span};
        symbol.binding = item;
        return;
      }
    }
    if (!scope_.FindType(name.text).empty()) return AddType(name);
    if (!name.is_quoted) Add(SymbolKind::kName, name);
  }

  void EnterOn(bool has_on, const std::vector<Name>& on) {
    for (const Name& name : on) AddBare(name);
    on_ = scope_.Resolve(has_on, on);
    payload_fields_.reset();
  }

  void AddRule(const RuleSyntax& rule) {
    Add(SymbolKind::kCode, rule.code).declarations = {rule.code.span};
    EnterOn(rule.has_on, rule.on);
    Walk(rule.when);
    if (!rule.message.has_value()) return;
    for (const MessagePartSyntax& part : rule.message->parts) Walk(part.expr);
  }

  void AddTest(const TestSyntax& test) {
    for (const TestStepSyntax& step : test.steps) {
      WalkObject(step.given);
      for (const Name& code : step.codes) {
        Symbol& symbol = Add(SymbolKind::kCode, code);
        if (const auto found = codes_.find(code.text); found != codes_.end()) {
          symbol.declarations = found->second;
        }
      }
    }
  }

  void WalkObject(ObjectId id) {
    if (id == ObjectId::kNone) return;
    const ObjectSyntax& object = ast_.object(id);
    for (const ObjectId item : object.items) WalkObject(item);
    if (object.value == ExprId::kNone) return;
    const Expr& value = ast_.expr(object.value);
    if (value.kind != ExprKind::kPath || value.step_count != 1) return;
    const Name& name = ast_.step(value, 0);
    if (!scope_.FindType(name.text).empty()) AddType(name);
  }

  void Walk(ExprId id) {
    if (id == ExprId::kNone) return;
    const Expr& node = ast_.expr(id);
    switch (node.kind) {
      case ExprKind::kPath:
        WalkPath(node);
        return;
      case ExprKind::kAny:
      case ExprKind::kAll:
      case ExprKind::kCount:
        return WalkQuantifier(node);
      case ExprKind::kString:
        WalkString(node);
        return;
      case ExprKind::kCall:
        if (node.step_count > 0) Add(SymbolKind::kFunction, ast_.step(node, 0));
        return WalkCall(node);
      default:
        for (int i = 0; i < node.child_count; ++i) Walk(ast_.child(node, i));
    }
  }

  // A text that is a declared type's name is that type: `{"email.send"}`.
  void WalkString(const Expr& node) {
    const Name name = {std::string(ast_.text(node)), node.span, true};
    if (!scope_.FindType(name.text).empty()) AddType(name);
  }

  void WalkQuantifier(const Expr& node) {
    Variable variable;
    const Expr& list = ast_.expr(ast_.child(node, 0));
    if (list.kind == ExprKind::kPath) variable.list = WalkPath(list);
    if (node.step_count > 0) {
      variable.name = ast_.step(node, 0);
      Symbol& symbol = Add(SymbolKind::kVariable, variable.name);
      symbol.declarations = {variable.name.span};
      symbol.fields = variable.list;
    }
    variables_.push_back(std::move(variable));
    Walk(ast_.child(node, 1));
    variables_.pop_back();
  }

  // The second argument of `sum` is a field of the list's elements.
  void WalkCall(const Expr& node) {
    const bool is_sum = node.step_count > 0 && ast_.step(node, 0).text == "sum";
    if (!is_sum || node.child_count != 2) {
      for (int i = 0; i < node.child_count; ++i) Walk(ast_.child(node, i));
      return;
    }
    const Expr& list = ast_.expr(ast_.child(node, 0));
    const Expr& field = ast_.expr(ast_.child(node, 1));
    if (list.kind != ExprKind::kPath) return Walk(ast_.child(node, 0));
    const FieldDeclarations fields = scope_.FieldsOf(WalkPath(list), true);
    if (field.kind == ExprKind::kPath && field.step_count == 1) {
      AddField(ast_.step(field, 0),
               Scope::Named(fields, ast_.step(field, 0).text));
    }
  }

  void AddField(const Name& name, const FieldDeclarations& fields) {
    if (fields.empty()) return;
    Symbol& symbol = Add(SymbolKind::kField, name);
    symbol.fields = fields;
    for (const FieldDeclaration& field : fields) {
      symbol.declarations.push_back(field.field->name.span);
    }
  }

  // Adds the names of a path; returns the declarations of its last field.
  FieldDeclarations WalkPath(const Expr& path) {
    if (path.step_count == 0) return {};
    const Name& first = ast_.step(path, 0);
    FieldDeclarations at;
    bool is_element = false;
    const Variable* variable_or_null = nullptr;
    for (const Variable& variable : variables_) {
      if (variable.name.text == first.text) variable_or_null = &variable;
    }
    FieldDeclarations next;
    if (variable_or_null != nullptr) {
      Symbol& symbol = Add(SymbolKind::kVariable, first);
      symbol.declarations = {variable_or_null->name.span};
      symbol.fields = variable_or_null->list;
      at = variable_or_null->list;
      is_element = true;
      next = scope_.FieldsOf(at, is_element);
    } else if (first.text == "payload") {
      Add(SymbolKind::kRoot, first);
      next = PayloadFields();
    } else if (FindRoot(first.text) != nullptr) {
      Add(SymbolKind::kRoot, first);
      if (path.step_count < 2) return {};
      const Name& field = ast_.step(path, 1);
      Add(SymbolKind::kRoot, field).name =
          absl::StrCat(first.text, ".", field.text);
      return {};
    } else {
      AddBare(first);
      if (path.step_count < 2) return DefTarget(first);
      next = scope_.FieldsOf(DefTarget(first), false);
    }
    for (int i = 1; i < path.step_count; ++i) {
      at = Scope::Named(next, ast_.step(path, i).text);
      AddField(ast_.step(path, i), at);
      next = scope_.FieldsOf(at, false);
    }
    return path.step_count > 1 ? at : FieldDeclarations();
  }

  // Returns what a def that names a payload path leads to.
  FieldDeclarations DefTarget(const Name& name) {
    const BindingSyntax* const item = scope_.FindDef(name.text);
    if (item == nullptr || item->value == ExprId::kNone) return {};
    const Expr& value = ast_.expr(item->value);
    if (value.kind != ExprKind::kPath || value.step_count < 2 ||
        ast_.step(value, 0).text != "payload") {
      return {};
    }
    FieldDeclarations next = PayloadFields();
    FieldDeclarations at;
    for (int i = 1; i < value.step_count; ++i) {
      at = Scope::Named(next, ast_.step(value, i).text);
      next = scope_.FieldsOf(at, false);
    }
    return at;
  }

  // The fields that `on_` makes visible, resolved when first asked for.
  const FieldDeclarations& PayloadFields() {
    if (!payload_fields_.has_value()) {
      payload_fields_ = scope_.PayloadFields(on_);
    }
    return *payload_fields_;
  }

  const Ast& ast_;
  const Scope scope_;
  OnClause on_;
  std::optional<FieldDeclarations> payload_fields_;
  absl::flat_hash_map<std::string, std::vector<Span>> codes_;
  std::vector<Variable> variables_;
  std::vector<Symbol> symbols_;
};

}  // namespace

std::vector<Symbol> CollectSymbols(const Analysis& analysis, FileId file) {
  return Collector(analysis, file).Run();
}

const Symbol* FindSymbol(const std::vector<Symbol>& symbols, int32_t byte) {
  const Symbol* before = nullptr;
  for (const Symbol& symbol : symbols) {
    if (symbol.span.begin == symbol.span.end) continue;
    if (byte >= symbol.span.begin && byte < symbol.span.end) return &symbol;
    if (byte == symbol.span.end) before = &symbol;
  }
  return before;
}

}  // namespace sgl::tools
