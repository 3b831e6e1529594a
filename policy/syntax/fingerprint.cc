#include "policy/syntax/fingerprint.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <vector>

namespace sgl {
namespace {

class Writer {
 public:
  explicit Writer(const Ast& ast) : ast_(ast) {}

  std::string Write() {
    Add("policy ", Quoted(ast_.policy_name), " ", ast_.version, " ",
        static_cast<int>(ast_.layer), " ", Quoted(ast_.tenant_slug.text), "\n");
    for (const DefaultSyntax& item : ast_.defaults) {
      Add("default ", item.decision.text, "\n");
    }
    for (const BindingSyntax& item : ast_.consts) Binding("const", item);
    for (const BindingSyntax& item : ast_.defs) Binding("def", item);
    for (const IntentSyntax& item : ast_.intents) {
      Add("intent ", item.is_star ? "*" : Quoted(item.name.text));
      Fields(item.fields);
      Add("\n");
    }
    for (const RuleSyntax& item : ast_.rules) {
      Rule(item);
      Add("\n");
    }
    for (const LimitSyntax& item : ast_.limits) {
      Add("limit ", item.is_spend ? "$" : "", item.amount, " ", item.scope.text,
          " ", item.window, " ");
      Rule(item.rule);
      Add("\n");
    }
    for (const TestSyntax& item : ast_.tests) Test(item);
    for (const AssertSyntax& item : ast_.asserts) Assert(item);
    return text_;
  }

 private:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    absl::StrAppend(&text_, parts...);
  }

  static std::string Quoted(absl::string_view text) {
    return absl::StrCat("\"", absl::CEscape(text), "\"");
  }

  void Names(const std::vector<Name>& names) {
    Add("[");
    for (const Name& name : names) Add(Quoted(name.text), " ");
    Add("]");
  }

  void Binding(absl::string_view keyword, const BindingSyntax& item) {
    Add(keyword, " ", item.name.text, " ");
    Expression(item.value);
    Add("\n");
  }

  void Fields(const std::vector<FieldSyntax>& fields) {
    Add("{");
    for (const FieldSyntax& field : fields) {
      Add(Quoted(field.name.text), ":");
      Type(ast_.type(field.type));
      Add(" ");
    }
    Add("}");
  }

  void Type(const TypeExpr& type) {
    Add(static_cast<int>(type.kind), type.is_optional ? "?" : "",
        type.name.text);
    Names(type.members);
    if (type.element != TypeExprId::kNone) Type(ast_.type(type.element));
    Fields(type.fields);
  }

  void Rule(const RuleSyntax& rule) {
    Add(rule.keyword.text, " ", rule.code.text);
    if (rule.message.has_value()) {
      Add(" message(");
      for (const MessagePartSyntax& part : rule.message->parts) {
        Add(Quoted(part.text));
        Expression(part.expr);
      }
      Add(")");
    }
    if (rule.has_on) Names(rule.on);
    Expression(rule.when);
    if (rule.risk.has_value()) Add(" risk ", *rule.risk);
    for (const ApprovalsSyntax& item : rule.approvals) {
      Add(" approvals ", item.count);
      Names(item.roles);
      if (item.within.has_value()) Add(" within ", *item.within);
    }
  }

  void Test(const TestSyntax& test) {
    Add("test ", Quoted(test.name));
    for (const TestStepSyntax& step : test.steps) {
      Add(" given ");
      Object(ast_.object(step.given));
      Add(" expect ", step.decision.text);
      if (step.has_codes) Names(step.codes);
    }
    Add("\n");
  }

  void Assert(const AssertSyntax& item) {
    Add("assert ", Quoted(item.name));
    if (item.has_on) Names(item.on);
    Expression(item.when);
    Add(item.is_negated ? " not " : " ");
    Names(item.decisions);
    Add("\n");
  }

  void Object(const ObjectSyntax& object) {
    Add("(", static_cast<int>(object.kind));
    Names(object.keys);
    for (ObjectId item : object.items) Object(ast_.object(item));
    Expression(object.value);
    Add(")");
  }

  void Expression(ExprId id) {
    if (id == ExprId::kNone) return;
    const Expr& expr = ast_.expr(id);
    Add("(", static_cast<int>(expr.kind));
    if (expr.number != 0) Add(" ", expr.number);
    if (expr.text >= 0) Add(" ", Quoted(ast_.text(expr)));
    for (int i = 0; i < expr.step_count; ++i) {
      Add(" ", Quoted(ast_.step(expr, i).text));
    }
    for (int i = 0; i < expr.child_count; ++i) Expression(ast_.child(expr, i));
    Add(")");
  }

  const Ast& ast_;
  std::string text_;
};

}  // namespace

std::string Fingerprint(const Ast& ast) { return Writer(ast).Write(); }

}  // namespace sgl
