#include "policy/eval/explain_text.h"

#include <absl/strings/str_cat.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "policy/eval/exact.h"
#include "policy/eval/json.h"
#include "policy/eval/render.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

// Members of a set that are shown.
constexpr size_t kMembersShownMax = 6;

// How tightly an expression binds; a looser operand stands in parentheses.
enum Level : int {
  kLoop,
  kOr,
  kAnd,
  kNot,
  kCompare,
  kCoalesce,
  kSum,
  kProduct,
  kUnary,
  kAtom
};

// Cuts a text at a code point's beginning.
void Cut(size_t bytes_max, std::string* text) {
  if (text->size() <= bytes_max) return;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) {
    --end;
  }
  text->resize(end);
  text->append("…");
}

void AppendQuoted(absl::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
    } else if (c == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      out->push_back('\\');
    } else if (c == '\n' || c == '\t') {
      out->append(c == '\n' ? "\\n" : "\\t");
      continue;
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppend(out, "\\u{", absl::Hex(static_cast<unsigned>(c)), "}");
      continue;
    }
    out->push_back(text[i]);
  }
  out->push_back('"');
}

// An infix operator of two operands.
struct Infix {
  Code code;
  absl::string_view word;
  Level level;
};

constexpr Infix kInfixes[] = {
    {Code::kCoalesce, "??", kCoalesce},
    {Code::kEqualNumber, "==", kCompare},
    {Code::kEqualText, "==", kCompare},
    {Code::kNotEqualNumber, "!=", kCompare},
    {Code::kNotEqualText, "!=", kCompare},
    {Code::kLess, "<", kCompare},
    {Code::kLessEqual, "<=", kCompare},
    {Code::kGreater, ">", kCompare},
    {Code::kGreaterEqual, ">=", kCompare},
    {Code::kInNumberList, "in", kCompare},
    {Code::kInTextList, "in", kCompare},
    {Code::kStartsWith, "starts_with", kCompare},
    {Code::kEndsWith, "ends_with", kCompare},
    {Code::kContains, "contains", kCompare},
    {Code::kAdd, "+", kSum},
    {Code::kSubtract, "-", kSum},
    {Code::kMultiply, "*", kProduct},
    {Code::kMultiplyDecimal, "*", kProduct},
};

// Writes one expression. Confined to one ExprText call.
class Writer {
 public:
  Writer(const DecisionProgram& program, const std::vector<TypeId>& elements)
      : program_(program), elements_(elements) {
    elements_.resize(static_cast<size_t>(program.variable_count), kErrorType);
  }

  // Appends the expression, in parentheses where it is looser than `least`.
  void Write(int32_t id, Level least);

  std::string TakeText() { return std::move(out_); }

 private:
  // Appends it and returns how tightly it binds; parentheses are Write's.
  Level WriteBare(int32_t id);
  Level WriteAtom(int32_t id);
  void WriteMembers(const Instruction& instruction);
  void WriteVariable(const Instruction& instruction);
  Level WriteLoop(const Instruction& instruction, absl::string_view word);
  Level WriteCall(const Instruction& instruction, absl::string_view name);
  void WriteRegex(int32_t index);
  void WriteNumber(TypeId type, int64_t number) {
    out_ += ValueText(program_, type, Value::Number(number));
  }
  int32_t Child(const Instruction& instruction, int32_t number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }
  TypeId TypeOf(int32_t id) const {
    return program_.instruction_types[static_cast<size_t>(id)];
  }
  // What is longer is cut anyway. Shared defs could make the whole endless.
  bool is_full() const { return out_.size() > kExprTextBytesMax; }

  const DecisionProgram& program_;
  std::string out_;
  // The element type of each loop around what is being written, by variable.
  std::vector<TypeId> elements_;
};

void Writer::Write(int32_t id, Level least) {
  if (is_full()) return;
  const size_t begin = out_.size();
  if (WriteBare(id) >= least) return;
  out_.insert(begin, "(");
  out_.push_back(')');
}

Level Writer::WriteBare(int32_t id) {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  const size_t index = static_cast<size_t>(instruction.index);
  for (const Infix& infix : kInfixes) {
    if (infix.code != instruction.code) continue;
    const Level right = static_cast<Level>(infix.level + 1);
    Write(Child(instruction, 0), infix.level == kCompare ? right : infix.level);
    absl::StrAppend(&out_, " ", infix.word, " ");
    Write(Child(instruction, 1), right);
    return infix.level;
  }
  switch (instruction.code) {
    case Code::kHasSlot:
    case Code::kSlot:
      absl::StrAppend(&out_, instruction.code == Code::kSlot ? "" : "has ",
                      SlotText(program_, instruction.index));
      return instruction.code == Code::kSlot ? kAtom : kUnary;
    case Code::kHasVariable:
      out_ += "has ";
      WriteVariable(instruction);
      return kUnary;
    case Code::kVariable:
      WriteVariable(instruction);
      return kAtom;
    case Code::kAnd:
    case Code::kOr: {
      const Level level = instruction.code == Code::kAnd ? kAnd : kOr;
      for (int32_t i = 0; i < instruction.child_count && !is_full(); ++i) {
        if (i > 0) out_ += level == kAnd ? " and " : " or ";
        Write(Child(instruction, i), level);
      }
      return level;
    }
    case Code::kNot:
      out_ += "not ";
      Write(Child(instruction, 0), kNot);
      return kNot;
    case Code::kNegate:
      out_ += "-";
      Write(Child(instruction, 0), kUnary);
      return kUnary;
    case Code::kInNumbers:
    case Code::kInTexts:
      Write(Child(instruction, 0), kCoalesce);
      out_ += " in ";
      WriteMembers(instruction);
      return kCompare;
    case Code::kInRange:
      Write(Child(instruction, 0), kCoalesce);
      out_ += " in ";
      WriteNumber(TypeOf(Child(instruction, 0)), program_.numbers[index]);
      out_ += "..";
      WriteNumber(TypeOf(Child(instruction, 0)),
                  program_.numbers[static_cast<size_t>(instruction.extra)]);
      return kCompare;
    case Code::kMatches:
      Write(Child(instruction, 0), kCoalesce);
      out_ += " matches ";
      WriteRegex(instruction.index);
      return kCompare;
    default:
      return WriteAtom(id);
  }
}

// What binds tightest: values and calls. The infix operators, all in kInfixes,
// never come here.
Level Writer::WriteAtom(int32_t id) {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  const size_t index = static_cast<size_t>(instruction.index);
  switch (instruction.code) {
    case Code::kNumber:
      WriteNumber(TypeOf(id), program_.numbers[index]);
      return kAtom;
    case Code::kText:
      out_ +=
          ValueText(program_, TypeOf(id), Value::Text(program_.texts[index]));
      return kAtom;
    case Code::kFixed:
      absl::StrAppend(&out_,
                      RootFieldName(static_cast<RootField>(instruction.index)));
      return kAtom;
    case Code::kAny:
      return WriteLoop(instruction, "any");
    case Code::kAll:
      return WriteLoop(instruction, "all");
    case Code::kCount:
      return WriteLoop(instruction, "count");
    case Code::kSizeText:
    case Code::kSizeList:
      return WriteCall(instruction, "size");
    case Code::kLower:
      return WriteCall(instruction, "lower");
    case Code::kSum:
      return WriteCall(instruction, "sum");
    case Code::kHour:
      return WriteCall(instruction, "hour");
    case Code::kWeekday:
      return WriteCall(instruction, "weekday");
    case Code::kDomain:
      return WriteCall(instruction, "domain");
    case Code::kScan:
      out_ += "scan(payload, ";
      WriteRegex(instruction.index);
      out_ += ")";
      return kAtom;
    case Code::kConnected:
      absl::StrAppend(&out_, "connected(", QuotedText(program_.texts[index]),
                      ")");
      return kAtom;
    default:
      return kAtom;
  }
}

void Writer::WriteMembers(const Instruction& instruction) {
  const TypeId type = TypeOf(Child(instruction, 0));
  const size_t index = static_cast<size_t>(instruction.index);
  const bool is_text = instruction.code == Code::kInTexts;
  const size_t size = is_text ? program_.text_sets[index].size()
                              : program_.number_sets[index].size();
  out_ += "{";
  for (size_t i = 0; i < size && i < kMembersShownMax; ++i) {
    if (i > 0) out_ += ", ";
    out_ += ValueText(program_, type,
                      is_text ? Value::Text(program_.text_sets[index][i])
                              : Value::Number(program_.number_sets[index][i]));
  }
  if (size > kMembersShownMax) {
    absl::StrAppend(&out_, ", … ", size - kMembersShownMax, " more");
  }
  out_ += "}";
}

void Writer::WriteVariable(const Instruction& instruction) {
  out_ += VariableText(instruction.extra);
  TypeId type = elements_[static_cast<size_t>(instruction.extra)];
  for (const int32_t step :
       program_.steps[static_cast<size_t>(instruction.index)]) {
    const auto& fields = program_.types[program_.types.Required(type)].fields;
    SGL_CHECK_LT(static_cast<size_t>(step), fields.size());
    AppendPathStep(fields[static_cast<size_t>(step)].name, &out_);
    type = fields[static_cast<size_t>(step)].type;
  }
}

Level Writer::WriteLoop(const Instruction& instruction,
                        absl::string_view word) {
  const int32_t list = Child(instruction, 0);
  absl::StrAppend(&out_, word, " ", VariableText(instruction.index), " in ");
  Write(list, kAtom);
  out_ += ": ";
  // A loop in a def may share its number with one around the def's use.
  const size_t variable = static_cast<size_t>(instruction.index);
  const TypeId outer = std::exchange(
      elements_[variable],
      program_.types.Required(program_.types[TypeOf(list)].element));
  Write(Child(instruction, 1), kLoop);
  elements_[variable] = outer;
  return kLoop;
}

Level Writer::WriteCall(const Instruction& instruction,
                        absl::string_view name) {
  absl::StrAppend(&out_, name, "(");
  const int32_t arg = Child(instruction, 0);
  Write(arg, kLoop);
  if (instruction.code == Code::kSum) {
    const Type& element = program_.types[program_.types.Required(
        program_.types[TypeOf(arg)].element)];
    absl::StrAppend(
        &out_, ", ",
        element.fields[static_cast<size_t>(instruction.index)].name);
  } else if (instruction.code == Code::kHour ||
             instruction.code == Code::kWeekday) {
    absl::StrAppend(
        &out_, ", \"",
        program_.zones[static_cast<size_t>(instruction.index)].name(), "\"");
  }
  out_ += ")";
  return kAtom;
}

void Writer::WriteRegex(int32_t index) {
  const CompiledRegex& regex = *program_.regexes[static_cast<size_t>(index)];
  out_ += "/";
  bool is_escaped = false;
  for (const char c : regex.pattern()) {
    if (c == '/' && !is_escaped) out_ += "\\";
    is_escaped = c == '\\' && !is_escaped;
    out_.push_back(c);
  }
  out_ += regex.ignores_case() ? "/i" : "/";
}

std::string PresentText(const DecisionProgram& program, TypeId type,
                        const Value& value) {
  std::string out;
  switch (program.types.kind(type)) {
    case TypeKind::kBool:
      return value.number != 0 ? "true" : "false";
    case TypeKind::kInt:
      return absl::StrCat(value.number);
    case TypeKind::kDecimal:
      AppendDecimal(value.number, &out);
      return out;
    case TypeKind::kUsd:
      AppendUsd(value.number, &out);
      return out;
    case TypeKind::kString:
      return QuotedText(value.text());
    case TypeKind::kSymbol:
      return std::string(value.text());
    case TypeKind::kTimestamp:
      AppendTimestamp(value.number, &out);
      return out;
    case TypeKind::kDuration:
      AppendDuration(value.number, &out);
      return out;
    case TypeKind::kEnum:
      return program.types[type].members[static_cast<size_t>(value.number)];
    case TypeKind::kList:
      return absl::StrCat(value.count, value.count == 1 ? " item" : " items");
    case TypeKind::kRecord:
    case TypeKind::kError:
      break;
  }
  return "a record";
}

}  // namespace

absl::string_view RootFieldName(RootField field) {
  switch (field) {
    case RootField::kIntentId:
      return "intent.id";
    case RootField::kIntentType:
      return "intent.type";
    case RootField::kIntentRequestedBy:
      return "intent.requested_by";
    case RootField::kIntentSpend:
      return "intent.spend";
    case RootField::kIntentDataClass:
      return "intent.data_class";
    case RootField::kIntentCreatedAt:
      return "intent.created_at";
    case RootField::kAgentKnown:
      return "agent.known";
    case RootField::kAgentId:
      return "agent.id";
    case RootField::kAgentName:
      return "agent.name";
    case RootField::kAgentRole:
      return "agent.role";
    case RootField::kAgentStatus:
      return "agent.status";
    case RootField::kAgentTier:
      return "agent.tier";
    case RootField::kAgentLabels:
      return "agent.labels";
    case RootField::kTenantId:
      return "tenant.id";
    case RootField::kTenantSlug:
      return "tenant.slug";
    case RootField::kTenantSeat:
      return "tenant.seat";
    case RootField::kBudgetExists:
      return "budget.exists";
    case RootField::kBudgetRemaining:
      return "budget.remaining";
    case RootField::kBudgetUsed:
      return "budget.used";
    case RootField::kNow:
      break;
  }
  return "now";
}

std::string SlotText(const DecisionProgram& program, int32_t slot) {
  std::string text = "payload";
  for (const std::string& name :
       program.slot_names[static_cast<size_t>(slot)]) {
    AppendPathStep(name, &text);
  }
  return text;
}

std::string VariableText(int32_t variable) {
  return variable == 0 ? "item" : absl::StrCat("item", variable + 1);
}

std::string ExprText(const DecisionProgram& program, int32_t instruction,
                     const std::vector<TypeId>& elements) {
  Writer writer(program, elements);
  writer.Write(instruction, kLoop);
  std::string text = writer.TakeText();
  Cut(kExprTextBytesMax, &text);
  return text;
}

std::string ValueText(const DecisionProgram& program, TypeId type,
                      const Value& value) {
  if (value.state == Value::State::kFault) {
    return absl::StrCat("fault: ", FaultPhrase(value.fault));
  }
  if (!value.is_present()) return "missing";
  return PresentText(program, program.types.Required(type), value);
}

std::string QuotedText(absl::string_view text) {
  std::string shown(text.substr(0, kValueTextBytesMax + 4));
  Cut(kValueTextBytesMax, &shown);
  std::string out;
  AppendQuoted(shown, &out);
  return out;
}

}  // namespace sgl
