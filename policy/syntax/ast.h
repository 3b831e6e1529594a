// The syntax tree of one file, as written: names unresolved, types unchecked.
// Everything stands in vectors and is named by typed indexes, so that a tree
// is cheap to build, has no deep destructor and can be dumped.
//
// Where the parser reported a mistake it leaves an Expr of kind kError, a
// missing name as an empty string, or drops the item; later phases skip these
// without a word, so that one mistake is one error.

#ifndef POLICY_SYNTAX_AST_H_
#define POLICY_SYNTAX_AST_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/source/source.h"

namespace sgl {

enum class ExprId : int32_t { kNone = -1 };
enum class TypeExprId : int32_t { kNone = -1 };
enum class ObjectId : int32_t { kNone = -1 };

enum class ExprKind : uint8_t {
  kError,      // reported by the parser
  kPath,       // steps: `payload.memo`, or one step: any bare name
  kBool,       // number 0 or 1
  kInt,        // number
  kDecimal,    // number of 1e-9
  kUsd,        // number of 1e-6 dollars
  kDuration,   // number of microseconds
  kTimestamp,  // number of microseconds since 1970
  kString,     // text
  kRegex,      // text, number 1 with the flag `i`
  kSet,        // children: the members
  kRange,      // children: low, high
  kOr,         // 2 or more children
  kAnd,        // 2 or more children
  kNot,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kMatches,
  kStartsWith,
  kEndsWith,
  kContains,
  kHas,
  kCoalesce,
  kAdd,
  kSubtract,
  kMultiply,
  kNegate,
  kAny,    // steps: the variable; children: list, body
  kAll,    // likewise
  kCount,  // likewise
  kCall,   // steps: the function; children: the arguments
};

// A name with its place. Quoted names (`"email.send"`) hold the text between
// the quotes.
struct Name {
  std::string text;
  Span span;
  bool is_quoted = false;
};

// One expression. Ranges go into Ast::children and Ast::steps.
struct Expr {
  ExprKind kind = ExprKind::kError;
  Span span;
  Span op_span;  // the operator, for those that have one
  int32_t first_child = 0;
  int32_t child_count = 0;
  int32_t first_step = 0;
  int32_t step_count = 0;
  int64_t number = 0;
  int32_t text = -1;  // into Ast::texts
};

struct FieldSyntax {
  Name name;
  TypeExprId type = TypeExprId::kNone;
};

// A type as written.
struct TypeExpr {
  enum class Kind : uint8_t { kError, kNamed, kEnum, kList, kRecord };
  Kind kind = Kind::kError;
  bool is_optional = false;
  Span span;
  Name name;                               // kNamed: the word
  std::vector<Name> members;               // kEnum
  TypeExprId element = TypeExprId::kNone;  // kList
  std::vector<FieldSyntax> fields;         // kRecord
};

// A piece of a message: text, or a path or `path ?? literal`.
struct MessagePartSyntax {
  std::string text;
  ExprId expr = ExprId::kNone;
};

struct MessageSyntax {
  Span span;
  std::vector<MessagePartSyntax> parts;
};

struct ApprovalsSyntax {
  Span span;
  int64_t count = 0;
  Span count_span;
  std::vector<Name> roles;
  std::optional<int64_t> within;  // microseconds
  Span within_span;
};

// The part that rules and limits share.
struct RuleSyntax {
  Span keyword_span;
  Name keyword;  // block, review, allow; of a limit its `else` decision
  Name code;
  std::optional<MessageSyntax> message;
  bool has_on = false;
  std::vector<Name> on;
  ExprId when = ExprId::kNone;
  std::optional<int64_t> risk;
  Span risk_span;
  std::vector<ApprovalsSyntax> approvals;
};

struct LimitSyntax {
  RuleSyntax rule;
  bool is_spend = false;
  int64_t amount = 0;  // intents, or millionths of a dollar
  Span amount_span;
  Name scope;          // agent, tenant, platform
  int64_t window = 0;  // microseconds
  Span window_span;
};

struct DefaultSyntax {
  Span keyword_span;
  Name decision;
};

// `const NAME = value` and `def NAME = value`.
struct BindingSyntax {
  Name name;
  ExprId value = ExprId::kNone;
};

struct IntentSyntax {
  bool is_star = false;
  Name name;  // of a star only the span
  std::vector<FieldSyntax> fields;
  bool is_broken = false;  // some field was not read
};

// What `given` holds: objects, lists, literals, bare words and null.
struct ObjectSyntax {
  enum class Kind : uint8_t { kObject, kList, kValue, kNull };
  Kind kind = Kind::kNull;
  Span span;
  std::vector<Name> keys;        // kObject, beside `items`
  std::vector<ObjectId> items;   // kObject, kList
  ExprId value = ExprId::kNone;  // kValue: a literal or a bare name
};

struct TestStepSyntax {
  ObjectId given = ObjectId::kNone;
  Name decision;
  bool has_codes = false;
  std::vector<Name> codes;
};

struct TestSyntax {
  std::string name;
  Span name_span;
  std::vector<TestStepSyntax> steps;
};

struct AssertSyntax {
  std::string name;
  Span name_span;
  bool has_on = false;
  std::vector<Name> on;
  ExprId when = ExprId::kNone;
  bool is_negated = false;      // decision != D
  std::vector<Name> decisions;  // of `==`, `!=` one; of `in` some
};

enum class LayerKind : uint8_t { kPlatform, kTenant };

// One parsed file. Items keep their order within each kind.
struct Ast {
  FileId file = FileId::kNone;
  std::string policy_name;  // dotted; empty after an error
  Span policy_name_span;
  int64_t version = 0;
  LayerKind layer = LayerKind::kPlatform;
  Name tenant_slug;  // of a tenant layer
  Span layer_span;

  std::vector<DefaultSyntax> defaults;
  std::vector<BindingSyntax> consts;
  std::vector<BindingSyntax> defs;
  std::vector<IntentSyntax> intents;
  bool has_unread_intent = false;  // a type that is missing above
  std::vector<RuleSyntax> rules;
  std::vector<LimitSyntax> limits;
  std::vector<TestSyntax> tests;
  std::vector<AssertSyntax> asserts;

  std::vector<Expr> exprs;
  std::vector<ExprId> children;
  std::vector<Name> steps;
  std::vector<std::string> texts;
  std::vector<TypeExpr> types;
  std::vector<ObjectSyntax> objects;

  const Expr& expr(ExprId id) const { return exprs[static_cast<size_t>(id)]; }
  ExprId child(const Expr& parent, int number) const {
    return children[static_cast<size_t>(parent.first_child + number)];
  }
  const Name& step(const Expr& parent, int number) const {
    return steps[static_cast<size_t>(parent.first_step + number)];
  }
  absl::Span<const Name> steps_of(const Expr& parent) const {
    return absl::MakeConstSpan(steps).subspan(
        static_cast<size_t>(parent.first_step),
        static_cast<size_t>(parent.step_count));
  }
  absl::string_view text(const Expr& expr) const {
    return texts[static_cast<size_t>(expr.text)];
  }
  const TypeExpr& type(TypeExprId id) const {
    return types[static_cast<size_t>(id)];
  }
  const ObjectSyntax& object(ObjectId id) const {
    return objects[static_cast<size_t>(id)];
  }
};

}  // namespace sgl

#endif  // POLICY_SYNTAX_AST_H_
