#include "policy/compile/compiler.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "policy/compile/index_builder.h"

namespace sgl {
namespace {

bool IsText(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kSymbol;
}

// Builds one program. Confined to one CompileProgram call.
class Compiler {
 public:
  Compiler(const SourceSet& sources, const CheckedPolicy& policy,
           const Zones& zones)
      : sources_(sources),
        policy_(policy),
        zones_(zones),
        program_(std::make_unique<DecisionProgram>()) {}

  std::unique_ptr<const DecisionProgram> Run();

 private:
  void CompileTables();
  void CompileNodes();
  Instruction CompileNode(const Node& node);
  // Returns the slot that holds a fact outside the payload.
  int32_t FixedSlot(int32_t field);
  Instruction CompilePath(const Path& path);
  Instruction CompileHas(const Path& path);
  void CompileTypes();
  void CompileLayers();
  void CompileRule(const CheckedRule& rule, int32_t limit);
  void CompileLimit(const CheckedLimit& limit);
  void CompileRules();
  void CompileAssert(const CheckedAssert& item);
  void PlaceMemos();
  void PlanPayloads();
  ProgramShape Shape(TypeId fields, const std::vector<int32_t>& slots) const;
  std::string Digest(std::optional<LayerId> tenant, bool whole_set) const;

  int32_t TypeNumber(const std::string& name) {
    const int32_t next = static_cast<int32_t>(program_->type_ids.size());
    return program_->type_ids.emplace(name, next).first->second;
  }
  int32_t AddNumber(int64_t number) {
    program_->numbers.push_back(number);
    return static_cast<int32_t>(program_->numbers.size() - 1);
  }
  int32_t AddText(const std::string& text) {
    program_->texts.push_back(text);
    return static_cast<int32_t>(program_->texts.size() - 1);
  }
  TypeKind KindOfChild(const Node& node, int number) const {
    return policy_.types.kind(policy_.node(policy_.child(node, number)).type);
  }

  const SourceSet& sources_;
  const CheckedPolicy& policy_;
  const Zones& zones_;
  std::unique_ptr<DecisionProgram> program_;
};

std::unique_ptr<const DecisionProgram> Compiler::Run() {
  program_->types = policy_.types;
  program_->tzdata_version = zones_.tzdata_version;
  program_->slot_count = static_cast<int32_t>(policy_.slots.size());
  program_->variable_count = policy_.variables_max;
  program_->set_digest = Digest(std::nullopt, true);
  CompileTables();
  CompileNodes();
  CompileTypes();
  CompileLayers();
  CompileRules();
  for (const CheckedAssert& item : policy_.asserts) CompileAssert(item);
  PlaceMemos();
  BuildIndex(*program_);
  PlanPayloads();
  return std::move(program_);
}

void Compiler::CompileTables() {
  for (const ConstantSet& set : policy_.sets) {
    program_->number_sets.push_back(set.numbers);
    program_->text_sets.push_back(set.texts);
    std::sort(program_->number_sets.back().begin(),
              program_->number_sets.back().end());
    std::sort(program_->text_sets.back().begin(),
              program_->text_sets.back().end());
  }
  SGL_CHECK(policy_.compiled_regexes.size() == policy_.regexes.size());
  program_->regexes = policy_.compiled_regexes;
  for (const std::string& name : policy_.zones) {
    const auto zone = zones_.by_name.find(name);
    SGL_CHECK(zone != zones_.by_name.end()) << name;
    program_->zones.push_back(zone->second);
  }
}

void Compiler::CompileNodes() {
  for (const Node& node : policy_.nodes) {
    Instruction instruction = CompileNode(node);
    instruction.is_constant = !node.uses_variable;
    instruction.first_child = static_cast<int32_t>(program_->children.size());
    instruction.child_count = node.child_count;
    for (int i = 0; i < node.child_count; ++i) {
      const NodeId child = policy_.child(node, i);
      SGL_CHECK_LT(static_cast<size_t>(child), program_->instructions.size());
      program_->children.push_back(static_cast<int32_t>(child));
    }
    program_->instructions.push_back(instruction);
    program_->instruction_types.push_back(node.type);
  }
  for (const PayloadSlot& slot : policy_.slots) {
    program_->slot_names.push_back(slot.names);
  }
}

int32_t Compiler::FixedSlot(int32_t field) {
  std::vector<int32_t>& fields = program_->fixed_fields;
  const auto found = std::find(fields.begin(), fields.end(), field);
  const int32_t number = static_cast<int32_t>(found - fields.begin());
  if (found == fields.end()) fields.push_back(field);
  return program_->slot_count + number;
}

Instruction Compiler::CompilePath(const Path& path) {
  Instruction result;
  result.index = path.index;
  switch (path.root) {
    case PathRoot::kFixed:
      result.code = Code::kFixed;
      result.extra = FixedSlot(path.index);
      return result;
    case PathRoot::kPayload:
      result.code = Code::kSlot;
      return result;
    case PathRoot::kVariable:
      result.code = Code::kVariable;
      result.extra = path.index;
      result.index = static_cast<int32_t>(program_->steps.size());
      program_->steps.push_back(path.steps);
      return result;
  }
  SGL_CHECK(false) << "path root " << static_cast<int>(path.root);
  return result;
}

// The code of an operator by what its first operand is.
struct CodeOfOp {
  Op op;
  Code of_numbers;
  Code of_texts;
};

constexpr CodeOfOp kCodes[] = {
    {Op::kCoalesce, Code::kCoalesce, Code::kCoalesce},
    {Op::kAnd, Code::kAnd, Code::kAnd},
    {Op::kOr, Code::kOr, Code::kOr},
    {Op::kNot, Code::kNot, Code::kNot},
    {Op::kEqual, Code::kEqualNumber, Code::kEqualText},
    {Op::kNotEqual, Code::kNotEqualNumber, Code::kNotEqualText},
    {Op::kLess, Code::kLess, Code::kLess},
    {Op::kLessEqual, Code::kLessEqual, Code::kLessEqual},
    {Op::kGreater, Code::kGreater, Code::kGreater},
    {Op::kGreaterEqual, Code::kGreaterEqual, Code::kGreaterEqual},
    {Op::kInSet, Code::kInNumbers, Code::kInTexts},
    {Op::kInRange, Code::kInRange, Code::kInRange},
    {Op::kInList, Code::kInNumberList, Code::kInTextList},
    {Op::kMatches, Code::kMatches, Code::kMatches},
    {Op::kStartsWith, Code::kStartsWith, Code::kStartsWith},
    {Op::kEndsWith, Code::kEndsWith, Code::kEndsWith},
    {Op::kContains, Code::kContains, Code::kContains},
    {Op::kAdd, Code::kAdd, Code::kAdd},
    {Op::kSubtract, Code::kSubtract, Code::kSubtract},
    {Op::kMultiply, Code::kMultiply, Code::kMultiply},
    {Op::kNegate, Code::kNegate, Code::kNegate},
    {Op::kAny, Code::kAny, Code::kAny},
    {Op::kAll, Code::kAll, Code::kAll},
    {Op::kCount, Code::kCount, Code::kCount},
    {Op::kSize, Code::kSizeList, Code::kSizeText},
    {Op::kLower, Code::kLower, Code::kLower},
    {Op::kSum, Code::kSum, Code::kSum},
    {Op::kHour, Code::kHour, Code::kHour},
    {Op::kWeekday, Code::kWeekday, Code::kWeekday},
    {Op::kScan, Code::kScan, Code::kScan},
    {Op::kDomain, Code::kDomain, Code::kDomain},
    {Op::kConnected, Code::kConnected, Code::kConnected},
};

Code FindCode(Op op, bool on_text) {
  for (const CodeOfOp& row : kCodes) {
    if (row.op == op) return on_text ? row.of_texts : row.of_numbers;
  }
  SGL_CHECK(false) << "no code for op " << static_cast<int>(op);
  return Code::kNumber;
}

Instruction Compiler::CompileNode(const Node& node) {
  Instruction result;
  result.index = node.index;
  const size_t index = static_cast<size_t>(node.index);
  switch (node.op) {
    case Op::kLiteral: {
      const Literal& literal = policy_.literals[index];
      const bool is_text = IsText(policy_.types.kind(literal.type));
      result.code = is_text ? Code::kText : Code::kNumber;
      result.index =
          is_text ? AddText(literal.text) : AddNumber(literal.number);
      return result;
    }
    case Op::kPath:
      return CompilePath(policy_.paths[index]);
    case Op::kHas:
      return CompileHas(policy_.paths[index]);
    case Op::kConnected:
      result.code = Code::kConnected;
      result.index = AddText(policy_.literals[index].text);
      return result;
    case Op::kInRange:
      result.code = Code::kInRange;
      result.index = AddNumber(policy_.ranges[index].low);
      result.extra = AddNumber(policy_.ranges[index].high);
      return result;
    default:
      break;
  }
  const bool on_text = node.child_count > 0 && IsText(KindOfChild(node, 0));
  result.code = FindCode(node.op, on_text);
  if (node.op == Op::kMultiply &&
      (KindOfChild(node, 0) == TypeKind::kDecimal ||
       KindOfChild(node, 1) == TypeKind::kDecimal)) {
    result.code = Code::kMultiplyDecimal;
  }
  return result;
}

Instruction Compiler::CompileHas(const Path& path) {
  Instruction result = CompilePath(path);
  switch (result.code) {
    case Code::kSlot:
      result.code = Code::kHasSlot;
      break;
    case Code::kVariable:
      result.code = Code::kHasVariable;
      break;
    default:
      // The fixed roots are never missing.
      result.code = Code::kNumber;
      result.index = AddNumber(1);
      break;
  }
  return result;
}

ProgramShape Compiler::Shape(TypeId fields,
                             const std::vector<int32_t>& slots) const {
  ProgramShape shape;
  shape.fields = fields;
  for (const int32_t slot : slots) {
    SlotSource source;
    source.slot = slot;
    TypeId at = fields;
    for (const std::string& name :
         policy_.slots[static_cast<size_t>(slot)].names) {
      const Type& record = policy_.types[policy_.types.Required(at)];
      const int field = record.FindField(name);
      SGL_CHECK_GE(field, 0) << name;
      source.steps.push_back(field);
      at = record.fields[static_cast<size_t>(field)].type;
    }
    shape.slots.push_back(std::move(source));
  }
  return shape;
}

void Compiler::CompileTypes() {
  program_->has_star = policy_.has_star;
  program_->star = Shape(policy_.star_fields, policy_.star_slots);
  for (const IntentType& type : policy_.intent_types) {
    if (type.layer != LayerId::kPlatform) continue;
    program_->platform_types.emplace(type.name, Shape(type.fields, type.slots));
    program_->intent_types.push_back(type.name);
    TypeNumber(type.name);
  }
}

void Compiler::CompileLayers() {
  for (size_t i = 0; i < policy_.layers.size(); ++i) {
    const Layer& layer = policy_.layers[i];
    const bool is_platform = i == 0;
    ProgramLayer result;
    result.slug = layer.slug;
    result.name =
        is_platform ? "platform" : absl::StrCat("tenant:", layer.slug);
    // A tenant layer in which nothing applies has no objection.
    result.default_decision =
        is_platform ? layer.default_decision.value_or(DecisionKind::kBlock)
                    : DecisionKind::kAllow;
    if (layer.default_decision.has_value()) {
      result.default_at = sources_.Describe(layer.default_span);
    }
    for (const IntentType& type : policy_.intent_types) {
      if (is_platform || static_cast<size_t>(type.layer) != i) continue;
      result.types.emplace(type.name, Shape(type.fields, type.slots));
    }
    result.digest = Digest(static_cast<LayerId>(i), false);
    if (!is_platform) {
      program_->layer_of_tenant.emplace(layer.slug, static_cast<int32_t>(i));
      program_->tenant_slugs.push_back(layer.slug);
    }
    program_->layers.push_back(std::move(result));
  }
  std::sort(program_->tenant_slugs.begin(), program_->tenant_slugs.end());
}

// Reading such a value again costs no more than looking it up.
bool IsCheap(Code code) {
  return code == Code::kNumber || code == Code::kText || code == Code::kFixed ||
         code == Code::kSlot || code == Code::kHasSlot;
}

bool IsLoop(Code code) {
  return code == Code::kAny || code == Code::kAll || code == Code::kCount;
}

// Gives a place to each value that may be asked for more than once: by several
// parents or rules, or by a loop for each of its elements. A large policy has
// few of them, so that a request clears little.
void Compiler::PlaceMemos() {
  std::vector<int> uses(program_->instructions.size());
  const auto use = [&](int32_t id, int times) {
    if (id >= 0) uses[static_cast<size_t>(id)] += times;
  };
  for (const Instruction& parent : program_->instructions) {
    const bool is_repeated = !parent.is_constant || IsLoop(parent.code);
    for (int32_t i = 0; i < parent.child_count; ++i) {
      use(program_->children[static_cast<size_t>(parent.first_child + i)],
          is_repeated ? 2 : 1);
    }
  }
  for (const ProgramRule& rule : program_->rules) {
    use(rule.condition, 1);
    for (const ProgramMessagePart& part : rule.message) {
      use(part.instruction, 1);
    }
  }
  for (const ProgramAssert& item : program_->asserts) use(item.condition, 1);
  for (size_t i = 0; i < uses.size(); ++i) {
    Instruction& instruction = program_->instructions[i];
    if (instruction.is_constant && uses[i] > 1 && !IsCheap(instruction.code)) {
      instruction.memo = program_->memo_count++;
    }
  }
}

void Compiler::PlanPayloads() {
  program_->payload_plan = MakePayloadPlan(program_->types);
  program_->platform_shapes.resize(program_->type_ids.size());
  // Types with the same fields share one shape, which then stays in the cache
  // where each one's own would not: its slots follow from its fields.
  absl::flat_hash_map<TypeId, const ProgramShape*> shape_of_fields;
  for (const auto& [name, shape] : program_->platform_types) {
    program_->platform_shapes[static_cast<size_t>(TypeNumber(name))] =
        shape_of_fields.try_emplace(shape.fields, &shape).first->second;
  }
  program_->has_scan =
      std::any_of(program_->instructions.begin(), program_->instructions.end(),
                  [](const Instruction& instruction) {
                    return instruction.code == Code::kScan;
                  });
}

std::string Compiler::Digest(std::optional<LayerId> tenant,
                             bool whole_set) const {
  std::vector<std::string> hashes;
  for (const CheckedFile& file : policy_.files) {
    if (whole_set || file.layer == LayerId::kPlatform || file.layer == tenant) {
      hashes.push_back(absl::BytesToHexString(file.sha256));
    }
  }
  return DigestOfHashes(std::move(hashes));
}

void Compiler::CompileRule(const CheckedRule& rule, int32_t limit) {
  ProgramRule result;
  result.limit = limit;
  result.kind = rule.kind;
  result.layer = static_cast<int32_t>(rule.layer);
  const int32_t id = static_cast<int32_t>(program_->rules.size());
  ProgramLayer& layer = program_->layers[static_cast<size_t>(rule.layer)];
  const bool is_limit = limit >= 0;
  if (rule.on_all) {
    (is_limit ? layer.limits_on_all : layer.rules_on_all).push_back(id);
  }
  for (const std::string& name : rule.on) {
    (is_limit ? layer.limits_on_type : layer.rules_on_type)[TypeNumber(name)]
        .push_back(id);
  }
  result.condition = static_cast<int32_t>(rule.condition);
  result.risk = rule.risk;
  for (const CheckedDemand& demand : rule.approvals) {
    result.demands.push_back({demand.count, demand.roles});
  }
  result.within = rule.within;
  result.code = rule.code;
  for (const MessagePart& part : rule.message) {
    ProgramMessagePart piece;
    piece.text = part.text;
    if (part.node != NodeId::kNone) {
      piece.instruction = static_cast<int32_t>(part.node);
      piece.type = policy_.node(part.node).type;
    }
    result.message.push_back(std::move(piece));
  }
  result.at = sources_.Describe(rule.code_span);
  result.place = id;
  program_->rules.push_back(std::move(result));
}

void Compiler::CompileLimit(const CheckedLimit& limit) {
  ProgramLimit result;
  result.scope = limit.scope;
  result.is_spend = limit.is_spend;
  result.amount_max = limit.amount_max;
  result.window = absl::Microseconds(limit.window);
  program_->limits.push_back(result);
  CompileRule(limit.rule, static_cast<int32_t>(program_->limits.size() - 1));
}

// Numbers rules and limits together by file and then position: the order in
// which reasons are listed.
void Compiler::CompileRules() {
  struct Entry {
    Span span;
    const CheckedRule* rule;
    const CheckedLimit* limit_or_null;
  };
  std::vector<Entry> entries;
  for (const CheckedRule& rule : policy_.rules) {
    entries.push_back({rule.code_span, &rule, nullptr});
  }
  for (const CheckedLimit& limit : policy_.limits) {
    entries.push_back({limit.rule.code_span, &limit.rule, &limit});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& left, const Entry& right) {
              return std::tie(left.span.file, left.span.begin) <
                     std::tie(right.span.file, right.span.begin);
            });
  for (const Entry& entry : entries) {
    if (entry.limit_or_null != nullptr) {
      CompileLimit(*entry.limit_or_null);
    } else {
      CompileRule(*entry.rule, -1);
    }
  }
}

void Compiler::CompileAssert(const CheckedAssert& item) {
  ProgramAssert result;
  result.layer = static_cast<int32_t>(item.layer);
  result.on_all = item.on_all;
  for (const std::string& name : item.on) {
    result.on.push_back(TypeNumber(name));
  }
  std::sort(result.on.begin(), result.on.end());
  result.condition = static_cast<int32_t>(item.condition);
  result.decisions = item.decisions;
  result.name = item.name;
  result.at = sources_.Describe(item.name_span);
  result.demand = item.demand;
  program_->asserts.push_back(std::move(result));
}

}  // namespace

std::string DigestOfHashes(std::vector<std::string> hashes) {
  std::sort(hashes.begin(), hashes.end());
  std::string lines;
  for (const std::string& hash : hashes) absl::StrAppend(&lines, hash, "\n");
  return absl::StrCat("sha256:", Sha256Hex(lines));
}

std::unique_ptr<const DecisionProgram> CompileProgram(
    const SourceSet& sources, const CheckedPolicy& policy, const Zones& zones) {
  return Compiler(sources, policy, zones).Run();
}

}  // namespace sgl
