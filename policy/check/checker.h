// The checker's class, shared by its parts; each .cc says which. Internal to
// policy/check.
//
// Expressions are checked with a `Scope`: what is visible, which variables are
// bound, and which paths a guard to the left has shown to be there. A def is
// checked in a scope of its own, once for each `on` set that uses it. What it
// reads without a guard of its own becomes a requirement, which its use must
// meet; an unmet one is reported at the path inside the def.
//
// A result of type kErrorType is reported already and fits everywhere.

#ifndef POLICY_CHECK_CHECKER_H_
#define POLICY_CHECK_CHECKER_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/zones.h"
#include "policy/check/checked_policy.h"
#include "policy/check/declarations.h"
#include "policy/check/node_builder.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/eval/given.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/parser.h"

namespace sgl {

// A path that guards are about, interned: (what it is a field of, its name).
using GuardKey = int32_t;
using Facts = std::vector<GuardKey>;

// What checking an expression gave. The facts are the paths that are surely
// there when a condition is true, or false.
struct Checked {
  NodeId node = NodeId::kNone;
  TypeId type = kErrorType;
  Facts if_true;
  Facts if_false;

  bool failed() const { return type == kErrorType; }
};

// A constant before it is known what type it is wanted as.
struct Constant {
  Literal value;
  Span span;
  bool is_bare = false;  // an unquoted name that nothing declares: a symbol
};

// What a def reads without a guard of its own.
struct Requirement {
  GuardKey key = 0;
  Span span;
  std::string path;          // the whole path, as written
  std::string missing;       // the part of it that may be missing
  TypeId type = kErrorType;  // the path's
};

// A resolved path, before it is decided whether it must be there.
struct ResolvedPath {
  bool ok = false;
  PathRoot root = PathRoot::kFixed;
  int32_t index = 0;               // RootField, or variable number
  std::vector<std::string> names;  // payload: all; variable: for messages
  std::vector<int32_t> steps;      // variable: field numbers
  TypeId type = kErrorType;        // as declared, maybe optional
  GuardKey key = 0;
  std::vector<GuardKey> prefixes;  // every prefix, itself included
  std::vector<std::pair<GuardKey, std::string>> optionals;  // may be missing
};

// The visible payload: the types that a rule is on.
struct OnContext {
  enum class Kind : uint8_t {
    kStarOnly,  // no `on`
    kTypes,     // those in `types`
    kLenient,   // any type's fields: for what no rule uses
    kUnknown,   // likewise, for an `on` that names no type, which is reported
  };
  Kind kind = Kind::kStarOnly;
  LayerId layer = LayerId::kPlatform;
  std::vector<const DeclaredType*> types;
};

// A request while a test's `given` is checked.
struct Given {
  GivenRequest request;
  LayerId layer = LayerId::kPlatform;  // the tenant's, if it has one
  Span type_span;
  bool may_be_invalid = false;  // the test may expect INVALID_PAYLOAD
  bool may_be_unknown = false;  // likewise UNKNOWN_INTENT_TYPE
};

// Returns `an object`, `a list`, `null` or `a single value`.
absl::string_view ObjectPhrase(ObjectSyntax::Kind kind);

// Returns whether a code is one that the engine itself gives.
bool IsReservedCode(absl::string_view code);

// Returns whether rules read `intent.NAME`.
bool IsIntentField(absl::string_view name);

// Returns the decision that `allow`, `review` or `block` names.
DecisionKind KindOfWord(absl::string_view word);

class Checker {
 public:
  Checker(const SourceSet& sources, absl::Span<const Ast> files,
          const Zones& zones, Diagnostics& diagnostics);

  CheckedPolicy Run();

 private:
  enum class ConstKind : uint8_t { kError, kLiteral, kSet, kRange, kRegex };
  struct Const {
    const BindingSyntax* syntax = nullptr;
    ConstKind kind = ConstKind::kError;
    bool is_used = false;
    Constant literal;               // kLiteral
    std::vector<Constant> members;  // kSet; kRange: low, high
    int32_t regex = -1;             // kRegex
    // The set as values of a type, and whether it is held against the declared
    // types; -1 for one that can't be.
    std::map<std::pair<TypeId, bool>, int32_t> resolved;
  };
  struct DefUse {
    bool is_done = false;  // false while being checked: a use is recursion
    Checked result;
    std::vector<Requirement> requirements;
  };
  struct Def {
    const BindingSyntax* syntax = nullptr;
    bool is_used = false;
    std::map<int32_t, DefUse> uses;  // by context
  };
  struct File {
    const Ast* ast = nullptr;
    LayerId layer = LayerId::kPlatform;
    std::vector<Const> consts;
    std::vector<Def> defs;
    absl::flat_hash_map<std::string, size_t> const_index;
    absl::flat_hash_map<std::string, size_t> def_index;
  };
  struct Variable {
    std::string name;
    Span span;
    int32_t number = 0;
    TypeId type = kErrorType;  // of the element, maybe optional
    GuardKey key = 0;
  };
  struct Scope {
    File* file = nullptr;
    int32_t context = 0;
    std::vector<Variable> variables;
    absl::flat_hash_map<GuardKey, int> facts;
    std::vector<Requirement>* requirements_or_null = nullptr;  // inside a def
    bool is_message = false;  // where no operator but `??` may stand
  };

  // check.cc: the run.
  void AssignLayers();
  void PublishTypes();
  void FillSlots();
  void CheckUnusedDefs();
  void ReportUnused();
  const Ast& ast() const { return *scope_.file->ast; }
  const Expr& expr(ExprId id) const { return ast().expr(id); }
  LayerId layer() const { return scope_.file->layer; }
  Diagnostics::Report Report(DiagnosticKind kind, Span span,
                             std::string message) {
    return diagnostics_.Add(kind, span, std::move(message));
  }
  std::string Describe(TypeId type) const {
    return policy_.types.Describe(type);
  }
  TypeKind KindOf(TypeId type) const { return policy_.types.kind(type); }

  // binding_checker.cc: consts and defs.
  void CollectBindings(File& file);
  void ReportTaken(const File& file, const Name& name);
  void CheckConst(File& file, Const& item);
  void CheckSetMembers(Const& item);
  void CheckRangeEnds(Const& item, Span span);
  Const* FindConst(absl::string_view name);
  Def* FindDef(absl::string_view name);
  Checked CheckDefUse(Def& def, Span use);
  bool IsOnUnknown() const;
  void MeetRequirements(const std::vector<Requirement>& requirements);

  // constant_checker.cc: constants and what they stand for.
  std::optional<Constant> TryConstant(ExprId id);
  std::optional<Constant> TryConstantName(ExprId id);
  std::optional<Literal> Convert(const Constant& constant, TypeId wanted);
  Checked CheckConstant(const Constant& constant, TypeId wanted);
  void ReportUnknownName(const Constant& constant, TypeId wanted);
  bool ReportMember(const Constant& constant, TypeId wanted);
  std::optional<int32_t> CheckRegex(ExprId id, absl::string_view what);
  int32_t AddRegex(const Expr& regex, absl::string_view pattern);
  std::optional<std::string> CheckText(ExprId id, absl::string_view what);
  std::vector<Constant> SetMembers(ExprId set);
  std::optional<int32_t> ResolveSet(const std::vector<Constant>& members,
                                    TypeId wanted, bool is_intent_type);
  std::optional<int32_t> ResolveRange(const std::vector<Constant>& ends,
                                      TypeId wanted, Span span);
  void CheckDeclaredType(absl::string_view name, Span span);
  std::string NearestType(absl::string_view name);
  bool MaySearch(size_t candidates);

  // expr_checker.cc: operators.
  Checked CheckCondition(ExprId id);
  Checked CheckExpr(ExprId id, TypeId wanted);
  Checked CheckExprNested(ExprId id, TypeId wanted);
  Checked CheckAndOr(const Expr& node);
  Checked CheckNot(const Expr& node);
  Checked CheckComparison(const Expr& node);
  std::optional<Checked> CheckNull(const Expr& node);
  Checked CheckStringOp(const Expr& node);
  bool ReportSet(ExprId id, absl::string_view what, absl::string_view help);
  Checked CheckMatches(const Expr& node);
  Checked CheckContains(const Expr& node);
  Checked CheckArithmetic(const Expr& node);
  Checked CheckNegate(const Expr& node);
  TypeId ArithmeticType(ExprKind kind, TypeId left, TypeId right) const;
  std::pair<Checked, Checked> CheckSides(ExprId left, ExprId right);
  void ReportSides(const Expr& node, absl::string_view what, TypeId left,
                   TypeId right);
  Checked Mismatch(Span span, absl::string_view wanted, TypeId found);
  Checked MakeNode(Op op, TypeId type, int32_t index, Span span,
                   absl::Span<const NodeId> children);
  bool IsIntentType(const Checked& value) const;
  bool IsUnknownWord(ExprId id, absl::string_view word);
  void PushFacts(const Facts& facts);
  void PopFacts(const Facts& facts);

  // in_checker.cc: `in`, any, all, count.
  Checked CheckIn(const Expr& node);
  Checked CheckInSet(const Expr& node, ExprId subject,
                     const std::vector<Constant>& members, Const* named);
  Checked CheckInRange(const Expr& node, ExprId subject,
                       const std::vector<Constant>& ends);
  Checked CheckInList(const Expr& node, ExprId element, ExprId list);
  Checked CheckQuantifier(const Expr& node);
  bool BindVariable(const Name& name, TypeId element);
  Checked CheckListOperand(ExprId id);

  // path_checker.cc: paths, has, ??.
  Checked CheckName(ExprId id, TypeId wanted);
  Checked CheckPath(ExprId id);
  Checked CheckHas(const Expr& node);
  Checked CheckCoalesce(const Expr& node, TypeId wanted);
  ResolvedPath ResolvePath(ExprId id);
  ResolvedPath ResolveSteps(absl::Span<const Name> steps, Span span);
  ResolvedPath ResolveFixed(absl::Span<const Name> steps);
  ResolvedPath ResolvePayload(absl::Span<const Name> steps);
  bool ResolveFields(absl::Span<const Name> steps, ResolvedPath& path);
  TypeId FindPayloadField(const Name& name);
  std::string PathEndingIn(const std::string& name) const;
  TypeId FindInTypes(const OnContext& context, const Name& name);
  TypeId FindInAll(const OnContext& context, const Name& name);
  bool MayBeDeclared(const OnContext& context) const;
  TypeId ReportPayloadField(const OnContext& context, const Name& name);
  Checked UsePath(const ResolvedPath& path, Span span, bool must_be_there);
  void RequirePath(const ResolvedPath& path, Span span);
  int32_t AddPath(const ResolvedPath& path);
  GuardKey KeyOf(GuardKey parent, absl::string_view name);
  std::string Written(const ResolvedPath& path) const;

  // call_checker.cc: functions.
  Checked CheckCall(const Expr& node);
  Checked CheckSize(const Expr& node);
  Checked CheckStringCall(const Expr& node, Op op);
  Checked CheckSum(const Expr& node);
  Checked CheckClock(const Expr& node, Op op);
  Checked CheckScan(const Expr& node);
  Checked CheckConnected(const Expr& node);
  bool HasArgs(const Expr& node, int count, absl::string_view usage);

  // rule_checker.cc: layers' defaults and rules.
  void CheckDefaults();
  void CheckRules(File& file);
  void CheckRule(const RuleSyntax& syntax);
  void CheckCode(const RuleSyntax& syntax);
  int32_t CheckOn(const std::vector<Name>& on, bool has_on,
                  std::vector<std::string>* names);
  void CheckOnName(const std::string& name, Span span, OnContext& context,
                   std::vector<std::string>* names);
  int32_t InternContext(OnContext context, const std::string& key);
  void CheckMessage(const RuleSyntax& syntax, CheckedRule& rule);
  void CheckReviewClauses(const RuleSyntax& syntax, CheckedRule& rule);
  void CheckApprovals(const ApprovalsSyntax& syntax, CheckedRule& rule);
  void CheckRuleParts(const RuleSyntax& syntax, CheckedRule& rule);

  // test_checker.cc, given_checker.cc, given_payload_checker.cc: tests.
  void CheckTests(File& file);
  TestStep CheckTestStep(const TestStepSyntax& syntax);
  std::vector<std::string> CheckExpectedCodes(const TestStepSyntax& syntax,
                                              LayerId tenant);
  void CheckGiven(ObjectId id, Given& given);
  void CheckRepeated(const ObjectSyntax& object);
  bool CheckGivenRoot(const Name& root, ObjectId id, Given& given);
  void CheckGivenField(absl::string_view root, const Name& name, ObjectId id,
                       Given& given);
  void CheckGivenTexts(ObjectId id, std::vector<std::string>* texts);
  bool GivenFits(ObjectId id, TypeId wanted);
  std::optional<Literal> GivenValue(ObjectId id, TypeId wanted, bool is_quiet);
  void CheckGivenPayload(ObjectId id, Span whole, Given& given);
  void CheckMissingFields(const ObjectSyntax& object,
                          const std::vector<Field>& fields, Span span,
                          const Given& given);
  void AppendGivenRecord(const ObjectSyntax& object,
                         const std::vector<Field>& fields, const Given& given,
                         std::string* json);
  void AppendGiven(ObjectId id, TypeId wanted, const Given& given,
                   std::string* json);
  void AppendGivenLiteral(const Literal& value, std::string* json);

  // limit_checker.cc: limits and asserts.
  void CheckLimits(File& file);
  void CheckLimit(const LimitSyntax& syntax);
  void CheckAsserts(File& file);

  const SourceSet& sources_;
  const absl::Span<const Ast> asts_;
  const Zones& zones_;
  Diagnostics& diagnostics_;
  CheckedPolicy policy_;
  NodeBuilder nodes_;
  std::optional<Declarations> declarations_;
  std::vector<File> files_;
  Scope scope_;
  int depth_ = 0;
  int alias_depth_ = 0;
  // Candidates that hints may still look at; then mistakes come without hints.
  size_t search_budget_ = 1'000'000;
  bool is_read_in_part_ = false;  // the parser reported errors
  bool is_cut_short_ = false;     // something nested too deep to be looked at
  std::vector<OnContext> contexts_;
  absl::flat_hash_map<std::string, int32_t> context_ids_;
  absl::flat_hash_map<std::pair<GuardKey, std::string>, GuardKey> keys_;
  GuardKey next_key_ = 1;  // 0 is the payload itself
  std::map<std::pair<LayerId, std::string>, Span> codes_;
  // Numbers of regexes, by pattern and whether they ignore case.
  absl::flat_hash_map<std::pair<std::string, bool>, int32_t> regex_numbers_;
};

}  // namespace sgl

#endif  // POLICY_CHECK_CHECKER_H_
