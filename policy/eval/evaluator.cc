#include "policy/eval/evaluator.h"

#include <absl/numeric/int128.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "policy/check/checked_policy.h"
#include "policy/eval/exact.h"
#include "policy/eval/request.h"
#include "policy/eval/url.h"

namespace sgl {
namespace {

Value Bool(bool value) { return Value::Number(value ? 1 : 0); }

Value NumberOrOverflow(std::optional<int64_t> number) {
  return number.has_value() ? Value::Number(*number)
                            : Value::Faulted(Fault::kOverflow);
}

int64_t CodePoints(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
}

bool Holds(const std::vector<std::string>& set, absl::string_view text) {
  const auto found =
      std::lower_bound(set.begin(), set.end(), text,
                       [](const std::string& left, absl::string_view right) {
                         return left < right;
                       });
  return found != set.end() && *found == text;
}

// Appends `what:SIZE:text`, which no other pair of texts gives.
void AppendPart(absl::string_view what, absl::string_view text,
                std::string* out) {
  absl::StrAppend(out, out->empty() ? "" : " ", what, ":", text.size(), ":",
                  text);
}

// Says whom a limit counts for, see LimitDraw::subject.
void SetSubject(LimitScope scope, const Request& request,
                std::string* subject) {
  subject->clear();
  if (scope == LimitScope::kPlatform) return;
  const TenantFacts& tenant = request.tenant;
  AppendPart(tenant.id.empty() ? "tenant.slug" : "tenant.id",
             tenant.id.empty() ? tenant.slug : tenant.id, subject);
  if (scope == LimitScope::kTenant) return;
  const AgentFacts& agent = request.agent;
  AppendPart(agent.id.empty() ? "agent.name" : "agent.id",
             agent.id.empty() ? agent.name : agent.id, subject);
}

}  // namespace

Evaluator::Evaluator(const DecisionProgram& program)
    : program_(program),
      memos_(static_cast<size_t>(program.memo_count)),
      variables_(static_cast<size_t>(program.variable_count)) {}

Evaluator::Evaluator(const DecisionProgram& program, const Facts& facts)
    : Evaluator(program) {
  Reset(facts);
}

void Evaluator::Reset(const Facts& facts) {
  facts_ = &facts;
  texts_.Clear();
  if (++epoch_ != 0) return;
  // After 2^32 evaluations an old memo would look like one of now.
  std::fill(memos_.begin(), memos_.end(), Memo());
  epoch_ = 1;
}

Outcome Evaluator::Run() {
  SGL_CHECK(facts_->is_type_known && facts_->violations.empty());
  std::vector<Hit> hits;
  DecisionKind kind = RunLayer(program_.layers[0], &hits);
  if (facts_->tenant_layer >= 0) {
    const size_t layer = static_cast<size_t>(facts_->tenant_layer);
    kind = std::max(kind, RunLayer(program_.layers[layer], &hits));
  }
  Outcome outcome;
  outcome.kind = kind;
  for (const Hit& hit : hits) {
    if (hit.kind == kind) outcome.hits.push_back(hit);
  }
  std::sort(
      outcome.hits.begin(), outcome.hits.end(),
      [](const Hit& left, const Hit& right) { return left.rule < right.rule; });
  outcome.all_hits = std::move(hits);
  std::sort(draws_.begin(), draws_.end(),
            [](const auto& left, const auto& right) {
              return left.first < right.first;
            });
  for (auto& [unused, draw] : draws_) {
    outcome.limit_draws.push_back(std::move(draw));
  }
  draws_.clear();
  return outcome;
}

DecisionKind Evaluator::RunLayer(const ProgramLayer& layer,
                                 std::vector<Hit>* hits) {
  std::optional<DecisionKind> kind;
  for (const int32_t id : layer.rules_on_all) RunRule(id, hits, &kind);
  const auto on_type = layer.rules_on_type.find(facts_->type_id);
  if (on_type != layer.rules_on_type.end()) {
    for (const int32_t id : on_type->second) RunRule(id, hits, &kind);
  }
  for (const int32_t id : layer.limits_on_all) RunRule(id, hits, &kind);
  const auto limits = layer.limits_on_type.find(facts_->type_id);
  if (limits != layer.limits_on_type.end()) {
    for (const int32_t id : limits->second) RunRule(id, hits, &kind);
  }
  return kind.value_or(layer.default_decision);
}

void Evaluator::RunRule(int32_t id, std::vector<Hit>* hits,
                        std::optional<DecisionKind>* kind) {
  const ProgramRule& rule = program_.rules[static_cast<size_t>(id)];
  const Value condition = rule.condition < 0 ? Bool(true) : Get(rule.condition);
  if (condition.is_present() && condition.number == 0) return;
  DecisionKind severity = rule.kind;
  Hit hit;
  hit.rule = id;
  if (!condition.is_present()) {
    hit.fault = HandOn(condition).fault;
  } else if (rule.limit >= 0) {
    bool is_exceeded = false;
    LimitDraw draw;
    hit.fault = Draw(rule, &draw, &is_exceeded);
    draws_.emplace_back(id, std::move(draw));
    if (hit.fault == Fault::kNone && !is_exceeded) return;
  }
  if (hit.fault != Fault::kNone) severity = DecisionKind::kBlock;
  hit.kind = severity;
  hits->push_back(hit);
  *kind = std::max(kind->value_or(DecisionKind::kAllow), severity);
}

Fault Evaluator::Draw(const ProgramRule& rule, LimitDraw* draw,
                      bool* is_exceeded) const {
  const ProgramLimit& limit = program_.limits[static_cast<size_t>(rule.limit)];
  const Request& request = *facts_->request;
  draw->layer = program_.layers[static_cast<size_t>(rule.layer)].name;
  draw->code = rule.code;
  draw->scope = limit.scope;
  SetSubject(limit.scope, request, &draw->subject);
  draw->window = limit.window;
  draw->is_spend = limit.is_spend;
  draw->amount = limit.is_spend ? request.intent.spend_micros_usd : 1;
  draw->amount_max = limit.amount_max;
  draw->total.reset();
  Fault fault = Fault::kNoTotal;
  if (request.limit_totals != nullptr) {
    fault = Fault::kOverflow;
    const std::optional<int64_t> before =
        request.limit_totals->Total(*draw, request.now);
    if (before.has_value()) draw->total = CheckedAdd(*before, draw->amount);
  }
  if (draw->total.has_value()) fault = Fault::kNone;
  *is_exceeded = draw->total.value_or(0) > draw->amount_max;
  return fault;
}

bool Evaluator::IsAbout(const ProgramAssert& item) {
  if (item.layer != 0 && item.layer != facts_->tenant_layer) return false;
  if (!item.on_all &&
      !std::binary_search(item.on.begin(), item.on.end(), facts_->type_id)) {
    return false;
  }
  if (item.condition < 0) return true;
  const Value condition = Get(item.condition);
  return condition.is_present() && condition.number != 0;
}

Value Evaluator::Get(int32_t id) {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  if (instruction.memo < 0) return Compute(instruction);
  Memo& memo = memos_[static_cast<size_t>(instruction.memo)];
  if (memo.epoch != epoch_) {
    memo.value = Compute(instruction);
    memo.epoch = epoch_;
  }
  return memo.value;
}

Value Evaluator::Bind(int32_t variable, const Value& value) {
  return std::exchange(variables_[static_cast<size_t>(variable)], value);
}

Value Evaluator::Compute(const Instruction& instruction) {
  const size_t index = static_cast<size_t>(instruction.index);
  switch (instruction.code) {
    case Code::kNumber:
      return Value::Number(program_.numbers[index]);
    case Code::kText:
      return Value::Text(program_.texts[index]);
    case Code::kFixed:
      return FixedValue(*facts_, static_cast<RootField>(instruction.index));
    case Code::kSlot:
      return facts_->slots[index];
    case Code::kVariable:
      return Variable(instruction);
    case Code::kHasSlot:
      return Bool(facts_->slots[index].is_present());
    case Code::kHasVariable:
      return Bool(Variable(instruction).is_present());
    case Code::kCoalesce:
      return Coalesce(instruction);
    case Code::kAnd:
      return Junction(instruction, 0);
    case Code::kOr:
      return Junction(instruction, 1);
    case Code::kAny:
    case Code::kAll:
    case Code::kCount:
      return Quantify(instruction);
    case Code::kSum:
      return Sum(instruction);
    case Code::kScan:
      return Scan(instruction);
    case Code::kConnected: {
      const auto& connected = facts_->request->tenant.connected;
      return Bool(std::find(connected.begin(), connected.end(),
                            program_.texts[index]) != connected.end());
    }
    default:
      break;
  }
  const Value left = Get(child(instruction, 0));
  if (!left.is_present()) return HandOn(left);
  if (instruction.child_count == 1) return Unary(instruction, left);
  const Value right = Get(child(instruction, 1));
  if (!right.is_present()) return HandOn(right);
  return Binary(instruction, left, right);
}

Value Evaluator::Variable(const Instruction& instruction) const {
  Value value = variables_[static_cast<size_t>(instruction.extra)];
  for (const int32_t step :
       program_.steps[static_cast<size_t>(instruction.index)]) {
    if (!value.is_present()) return value;
    value = facts_->cells[value.first + static_cast<uint32_t>(step)];
  }
  return value;
}

Value Evaluator::Coalesce(const Instruction& instruction) {
  const Value value = Get(child(instruction, 0));
  if (value.state != Value::State::kMissing) return value;
  return Get(child(instruction, 1));
}

Value Evaluator::Junction(const Instruction& instruction, int64_t decisive) {
  Value result = Value::Number(1 - decisive);
  for (int i = 0; i < instruction.child_count; ++i) {
    const Value operand = Get(child(instruction, i));
    if (!operand.is_present()) {
      if (result.is_present()) result = HandOn(operand);
    } else if (operand.number == decisive) {
      return operand;
    }
  }
  return result;
}

Value Evaluator::Quantify(const Instruction& instruction) {
  const Value list = Get(child(instruction, 0));
  if (!list.is_present()) return HandOn(list);
  // A loop in a def may share its number with one around the def's use.
  Value& variable = variables_[static_cast<size_t>(instruction.index)];
  const Value outer = variable;
  const Value result = Loop(instruction, list, variable);
  variable = outer;
  return result;
}

Value Evaluator::Loop(const Instruction& instruction, const Value& list,
                      Value& variable) {
  std::optional<Value> fault;
  int64_t count = 0;
  for (uint32_t i = 0; i < list.count; ++i) {
    variable = facts_->cells[list.first + i];
    const Value body = Get(child(instruction, 1));
    if (!body.is_present()) {
      if (!fault.has_value()) fault = HandOn(body);
      continue;
    }
    count += body.number;
    if (instruction.code == Code::kAny && body.number != 0) return body;
    if (instruction.code == Code::kAll && body.number == 0) return body;
  }
  if (fault.has_value()) return *fault;
  if (instruction.code == Code::kCount) return Value::Number(count);
  return Bool(instruction.code == Code::kAll);
}

Value Evaluator::Sum(const Instruction& instruction) {
  const Value list = Get(child(instruction, 0));
  if (!list.is_present()) return HandOn(list);
  // 10,000 items of 64 bits can't overflow 128.
  absl::int128 total = 0;
  for (uint32_t i = 0; i < list.count; ++i) {
    const Value& record = facts_->cells[list.first + i];
    if (!record.is_present()) return HandOn(record);
    const Value& field =
        facts_->cells[record.first + static_cast<uint32_t>(instruction.index)];
    if (!field.is_present()) return HandOn(field);
    total += field.number;
  }
  if (total > std::numeric_limits<int64_t>::max() ||
      total < std::numeric_limits<int64_t>::min()) {
    return Value::Faulted(Fault::kOverflow);
  }
  return Value::Number(static_cast<int64_t>(total));
}

Value Evaluator::Scan(const Instruction& instruction) {
  const CompiledRegex& regex =
      *program_.regexes[static_cast<size_t>(instruction.index)];
  for (const absl::string_view text : facts_->strings) {
    if (regex.Matches(text)) return Bool(true);
  }
  return Bool(false);
}

Value Evaluator::Unary(const Instruction& instruction, const Value& operand) {
  const size_t index = static_cast<size_t>(instruction.index);
  switch (instruction.code) {
    case Code::kNot:
      return Bool(operand.number == 0);
    case Code::kInNumbers:
      return Bool(std::binary_search(program_.number_sets[index].begin(),
                                     program_.number_sets[index].end(),
                                     operand.number));
    case Code::kInTexts:
      return Bool(Holds(program_.text_sets[index], operand.text()));
    case Code::kInRange:
      return Bool(program_.numbers[index] <= operand.number &&
                  operand.number <=
                      program_.numbers[static_cast<size_t>(instruction.extra)]);
    case Code::kMatches:
      return Bool(program_.regexes[index]->Matches(operand.text()));
    case Code::kNegate:
      return NumberOrOverflow(CheckedNegate(operand.number));
    case Code::kSizeText:
      return Value::Number(CodePoints(operand.text()));
    case Code::kSizeList:
      return Value::Number(operand.count);
    case Code::kLower:
      return Lower(operand.text());
    case Code::kHour:
      return Value::Number(program_.zones[index]
                               .At(absl::FromUnixMicros(operand.number))
                               .cs.hour());
    case Code::kWeekday: {
      const absl::CivilSecond civil =
          program_.zones[index].At(absl::FromUnixMicros(operand.number)).cs;
      return Value::Number(
          static_cast<int64_t>(absl::GetWeekday(absl::CivilDay(civil))) + 1);
    }
    case Code::kDomain: {
      const std::optional<absl::string_view> host = UrlHost(operand.text());
      if (!host.has_value()) return Value::Faulted(Fault::kNotAUrl);
      return Lower(*host);
    }
    default:
      break;
  }
  SGL_CHECK(false) << "unary code " << static_cast<int>(instruction.code);
  return Value::Missing();
}

Value Evaluator::Binary(const Instruction& instruction, const Value& left,
                        const Value& right) {
  switch (instruction.code) {
    case Code::kEqualNumber:
      return Bool(left.number == right.number);
    case Code::kEqualText:
      return Bool(left.text() == right.text());
    case Code::kNotEqualNumber:
      return Bool(left.number != right.number);
    case Code::kNotEqualText:
      return Bool(left.text() != right.text());
    case Code::kLess:
      return Bool(left.number < right.number);
    case Code::kLessEqual:
      return Bool(left.number <= right.number);
    case Code::kGreater:
      return Bool(left.number > right.number);
    case Code::kGreaterEqual:
      return Bool(left.number >= right.number);
    case Code::kInNumberList:
    case Code::kInTextList:
      return InList(instruction, left, right);
    case Code::kStartsWith:
      return Bool(absl::StartsWith(left.text(), right.text()));
    case Code::kEndsWith:
      return Bool(absl::EndsWith(left.text(), right.text()));
    case Code::kContains:
      return Bool(absl::StrContains(left.text(), right.text()));
    default:
      return Arithmetic(instruction.code, left.number, right.number);
  }
}

Value Evaluator::Arithmetic(Code code, int64_t left, int64_t right) const {
  switch (code) {
    case Code::kAdd:
      return NumberOrOverflow(CheckedAdd(left, right));
    case Code::kSubtract:
      return NumberOrOverflow(CheckedSubtract(left, right));
    case Code::kMultiply:
      return NumberOrOverflow(CheckedMultiply(left, right));
    case Code::kMultiplyDecimal:
      return NumberOrOverflow(CheckedMultiplyDecimal(left, right));
    default:
      break;
  }
  SGL_CHECK(false) << "binary code " << static_cast<int>(code);
  return Value::Missing();
}

Value Evaluator::InList(const Instruction& instruction, const Value& item,
                        const Value& list) const {
  const bool is_text = instruction.code == Code::kInTextList;
  for (uint32_t i = 0; i < list.count; ++i) {
    // An element that is null equals nothing.
    const Value& element = facts_->cells[list.first + i];
    if (element.is_present() && (is_text ? element.text() == item.text()
                                         : element.number == item.number)) {
      return Bool(true);
    }
  }
  return Bool(false);
}

Value Evaluator::Lower(absl::string_view text) {
  char* const lower = texts_.Take(text.size());
  std::transform(text.begin(), text.end(), lower, absl::ascii_tolower);
  return Value::Text({lower, text.size()});
}

}  // namespace sgl
