#include "policy/syntax/dump.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <vector>

namespace sgl {
namespace {

constexpr absl::string_view kKindNames[] = {
    "error",       "path",      "bool",     "int",   "decimal", "usd",
    "duration",    "timestamp", "string",   "regex", "set",     "range",
    "or",          "and",       "not",      "==",    "!=",      "<",
    "<=",          ">",         ">=",       "in",    "not in",  "matches",
    "starts_with", "ends_with", "contains", "has",   "??",      "+",
    "-",           "*",         "negate",   "any",   "all",     "count",
    "call"};

class Dumper {
 public:
  explicit Dumper(const Ast& ast) : ast_(ast) {}

  std::string Run() {
    absl::StrAppend(&out_, "policy ", ast_.policy_name, " version ",
                    ast_.version, "\n");
    if (ast_.layer == LayerKind::kTenant) {
      absl::StrAppend(&out_, "tenant ", ast_.tenant_slug.text, "\n");
    }
    for (const DefaultSyntax& item : ast_.defaults) {
      absl::StrAppend(&out_, "default ", item.decision.text, "\n");
    }
    DumpBindings("const ", ast_.consts);
    DumpBindings("def ", ast_.defs);
    for (const IntentSyntax& item : ast_.intents) {
      absl::StrAppend(&out_, "intent ", item.is_star ? "*" : item.name.text,
                      " ", Fields(item.fields), "\n");
    }
    for (const RuleSyntax& rule : ast_.rules) {
      DumpRule(rule.keyword.text, rule);
    }
    for (const LimitSyntax& limit : ast_.limits) {
      DumpRule(
          absl::StrCat("limit ", limit.amount, limit.is_spend ? " micros" : "",
                       " per ", limit.scope.text, " per ", limit.window,
                       " micros else ", limit.rule.keyword.text),
          limit.rule);
    }
    for (const TestSyntax& test : ast_.tests) DumpTest(test);
    for (const AssertSyntax& item : ast_.asserts) DumpAssert(item);
    return std::move(out_);
  }

 private:
  static std::string Names(const std::vector<Name>& names) {
    return absl::StrJoin(names, " ", [](std::string* out, const Name& name) {
      absl::StrAppend(out, name.text);
    });
  }

  std::string Fields(const std::vector<FieldSyntax>& fields) {
    return absl::StrCat(
        "{ ",
        absl::StrJoin(fields, ", ",
                      [this](std::string* out, const FieldSyntax& field) {
                        absl::StrAppend(out, field.name.text, ": ",
                                        Type(field.type));
                      }),
        " }");
  }

  std::string Type(TypeExprId id) {
    const TypeExpr& type = ast_.type(id);
    std::string out = "error";
    if (type.kind == TypeExpr::Kind::kNamed) out = type.name.text;
    if (type.kind == TypeExpr::Kind::kEnum) {
      out = absl::StrCat("enum(", Names(type.members), ")");
    }
    if (type.kind == TypeExpr::Kind::kList) {
      out = absl::StrCat("list<", Type(type.element), ">");
    }
    if (type.kind == TypeExpr::Kind::kRecord) out = Fields(type.fields);
    return type.is_optional ? out + "?" : out;
  }

  void DumpBindings(absl::string_view word,
                    const std::vector<BindingSyntax>& items) {
    for (const BindingSyntax& item : items) {
      absl::StrAppend(&out_, word, item.name.text, "\n");
      DumpExpr(item.value, 1);
    }
  }

  void DumpRule(absl::string_view head, const RuleSyntax& rule) {
    absl::StrAppend(&out_, head, " ", rule.code.text);
    if (rule.has_on) absl::StrAppend(&out_, " on ", Names(rule.on));
    if (rule.risk.has_value()) absl::StrAppend(&out_, " risk ", *rule.risk);
    out_ += "\n";
    for (const ApprovalsSyntax& approvals : rule.approvals) {
      absl::StrAppend(&out_, "  approvals ", approvals.count, " from ",
                      Names(approvals.roles));
      if (approvals.within.has_value()) {
        absl::StrAppend(&out_, " within ", *approvals.within);
      }
      out_ += "\n";
    }
    if (rule.message.has_value()) {
      for (const MessagePartSyntax& part : rule.message->parts) {
        if (part.expr == ExprId::kNone) {
          absl::StrAppend(&out_, "  text \"", absl::CEscape(part.text), "\"\n");
        } else {
          DumpExpr(part.expr, 1);
        }
      }
    }
    if (rule.when != ExprId::kNone) DumpExpr(rule.when, 1);
  }

  void DumpTest(const TestSyntax& test) {
    absl::StrAppend(&out_, "test \"", absl::CEscape(test.name), "\"\n");
    for (const TestStepSyntax& step : test.steps) {
      out_ += "  given";
      DumpObject(step.given);
      absl::StrAppend(&out_, " expect ", step.decision.text);
      if (step.has_codes) absl::StrAppend(&out_, " [", Names(step.codes), "]");
      out_ += "\n";
    }
  }

  void DumpObject(ObjectId id) {
    const ObjectSyntax& object = ast_.object(id);
    switch (object.kind) {
      case ObjectSyntax::Kind::kNull:
        out_ += " null";
        return;
      case ObjectSyntax::Kind::kValue:
        absl::StrAppend(&out_, " ", Head(ast_.expr(object.value)));
        return;
      case ObjectSyntax::Kind::kList:
        out_ += " [";
        for (ObjectId item : object.items) DumpObject(item);
        out_ += " ]";
        return;
      case ObjectSyntax::Kind::kObject:
        out_ += " {";
        for (size_t i = 0; i < object.items.size(); ++i) {
          absl::StrAppend(&out_, " ", object.keys[i].text, ":");
          DumpObject(object.items[i]);
        }
        out_ += " }";
        return;
    }
  }

  void DumpAssert(const AssertSyntax& item) {
    absl::StrAppend(&out_, "assert \"", absl::CEscape(item.name), "\"");
    if (item.has_on) absl::StrAppend(&out_, " on ", Names(item.on));
    absl::StrAppend(&out_, ": decision ", item.is_negated ? "not " : "",
                    Names(item.decisions), "\n");
    if (item.when != ExprId::kNone) DumpExpr(item.when, 1);
  }

  // Returns a node's line without its place.
  std::string Head(const Expr& node) {
    std::string head(kKindNames[static_cast<size_t>(node.kind)]);
    for (int i = 0; i < node.step_count; ++i) {
      absl::StrAppend(&head, " ", ast_.step(node, i).text);
    }
    if (node.text >= 0) {
      absl::StrAppend(&head, " \"", absl::CEscape(ast_.text(node)), "\"");
    }
    if (node.kind >= ExprKind::kBool && node.kind <= ExprKind::kTimestamp) {
      absl::StrAppend(&head, " ", node.number);
    }
    if (node.kind == ExprKind::kRegex && node.number != 0) head += " i";
    return head;
  }

  void DumpExpr(ExprId id, int depth) {
    const Expr& node = ast_.expr(id);
    absl::StrAppend(&out_, std::string(static_cast<size_t>(depth) * 2, ' '),
                    Head(node), " ", node.span.begin, "-", node.span.end, "\n");
    for (int i = 0; i < node.child_count; ++i) {
      DumpExpr(ast_.child(node, i), depth + 1);
    }
  }

  const Ast& ast_;
  std::string out_;
};

}  // namespace

std::string DumpAst(const Ast& ast) { return Dumper(ast).Run(); }

}  // namespace sgl
