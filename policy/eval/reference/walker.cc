#include "policy/eval/reference/walker.h"

#include <absl/numeric/int128.h>
#include <absl/strings/match.h>
#include <absl/time/time.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "policy/eval/reference/plain_values.h"
#include "policy/limits.h"

namespace sgl::reference {
namespace {

constexpr char kOverflow[] = "a result lies outside its range";
constexpr char kNotAUrl[] =
    "`domain` was given something that is no `scheme://host` URL";
constexpr char kMissing[] = "a value is missing";

Cell NarrowOrFault(absl::int128 value) {
  const std::optional<int64_t> number = Narrow(value);
  return number.has_value() ? Cell::Number(*number) : Cell::Fault(kOverflow);
}

// A missing value that no guard caught is as bad as a fault.
Cell FaultOf(const Cell& cell) {
  return cell.is_fault() ? cell : Cell::Fault(kMissing);
}

int64_t CountCodePoints(const std::string& text) {
  int64_t count = 0;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) >> 6) == 2;
    if (!continues) ++count;
  }
  return count;
}

std::string LowerAToZ(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool HasMatch(const Regex& regex, const std::string& text) {
  RE2::Options options;
  options.set_max_mem(kRegexMemoryMax);
  options.set_case_sensitive(!regex.ignores_case);
  options.set_log_errors(false);
  const RE2 compiled(regex.pattern, options);
  return RE2::PartialMatch(text, compiled);
}

bool AnyStringMatches(const Regex& regex, const JsonTree& tree) {
  if (tree.kind == JsonTree::Kind::kString && HasMatch(regex, tree.text)) {
    return true;
  }
  for (const JsonTree& item : tree.items) {
    if (AnyStringMatches(regex, item)) return true;
  }
  return false;
}

// 1 - remaining / limit in billionths, rounded up, within 0..1.
int64_t UsedPart(int64_t remaining, int64_t limit) {
  constexpr int64_t kOne = 1'000'000'000;
  if (limit <= 0 || remaining <= 0) return kOne;
  if (remaining >= limit) return 0;
  const absl::int128 used =
      (absl::int128(limit) - remaining) * kOne + limit - 1;
  return static_cast<int64_t>(used / limit);
}

bool SameScalar(const Cell& left, const Cell& right) {
  // A scalar uses one of the two; the other is empty in both.
  return left.number == right.number && left.text == right.text;
}

template <typename T>
const T& At(const std::vector<T>& table, int32_t index) {
  SGL_CHECK(index >= 0 && static_cast<size_t>(index) < table.size());
  return table[static_cast<size_t>(index)];
}

}  // namespace

Cell Walker::Walk(NodeId id) {
  if (FreeVariables(id) != 0) return WalkOp(policy_.node(id));
  const auto known = known_.find(id);
  if (known != known_.end()) return known->second;
  Cell cell = WalkOp(policy_.node(id));
  known_[id] = cell;
  return cell;
}

uint32_t Walker::FreeVariables(NodeId id) {
  const auto known = free_variables_.find(id);
  if (known != free_variables_.end()) return known->second;
  const Node& node = policy_.node(id);
  uint32_t free = 0;
  if (node.op == Op::kPath || node.op == Op::kHas) {
    const Path& path = At(policy_.paths, node.index);
    if (path.root == PathRoot::kVariable) free |= 1u << path.index;
  }
  for (int i = 0; i < node.child_count; ++i) {
    uint32_t of_child = FreeVariables(policy_.child(node, i));
    const bool is_loop =
        node.op == Op::kAny || node.op == Op::kAll || node.op == Op::kCount;
    if (is_loop && i == 1) of_child &= ~(1u << node.index);
    free |= of_child;
  }
  free_variables_[id] = free;
  return free;
}

Cell Walker::WalkOp(const Node& node) {
  switch (node.op) {
    case Op::kLiteral:
      return Literal(node);
    case Op::kPath:
      return ReadPath(At(policy_.paths, node.index));
    case Op::kHas:
      return Cell::Bool(ReadPath(At(policy_.paths, node.index)).is_present());
    case Op::kCoalesce: {
      const Cell value = Walk(policy_.child(node, 0));
      if (value.state != Cell::State::kMissing) return value;
      return Walk(policy_.child(node, 1));
    }
    case Op::kAnd:
      return Junction(node, false);
    case Op::kOr:
      return Junction(node, true);
    case Op::kAny:
    case Op::kAll:
    case Op::kCount:
      return Loop(node);
    case Op::kSum:
      return Sum(node);
    case Op::kScan:
      return Scan(node);
    case Op::kConnected: {
      const auto& connected = request_.tenant.connected;
      const std::string& name = At(policy_.literals, node.index).text;
      return Cell::Bool(std::count(connected.begin(), connected.end(),
                                   absl::string_view(name)) > 0);
    }
    default:
      break;
  }
  std::vector<Cell> operands;
  for (int i = 0; i < node.child_count; ++i) {
    operands.push_back(Walk(policy_.child(node, i)));
  }
  for (const Cell& operand : operands) {
    if (!operand.is_present()) return FaultOf(operand);
  }
  return Apply(node, operands);
}

Cell Walker::Literal(const Node& node) const {
  const sgl::Literal& literal = At(policy_.literals, node.index);
  switch (policy_.types.kind(literal.type)) {
    case TypeKind::kString:
    case TypeKind::kSymbol:
      return Cell::Text(literal.text);
    default:
      return Cell::Number(literal.number);
  }
}

Cell Walker::Fixed(RootField field) const {
  const IntentFacts& intent = request_.intent;
  const AgentFacts& agent = request_.agent;
  const TenantFacts& tenant = request_.tenant;
  const BudgetFacts& budget = request_.budget;
  switch (field) {
    case RootField::kIntentId:
      return Cell::Text(intent.id);
    case RootField::kIntentType:
      return Cell::Text(intent.type);
    case RootField::kIntentRequestedBy:
      return Cell::Text(intent.requested_by);
    case RootField::kIntentSpend:
      return Cell::Number(intent.spend_micros_usd);
    case RootField::kIntentDataClass:
      return Cell::Number(static_cast<int64_t>(intent.data_class));
    case RootField::kIntentCreatedAt:
      return Cell::Number(absl::ToUnixMicros(intent.created_at));
    case RootField::kAgentKnown:
      return Cell::Bool(agent.known);
    case RootField::kAgentId:
      return Cell::Text(agent.id);
    case RootField::kAgentName:
      return Cell::Text(agent.name);
    case RootField::kAgentRole:
      return Cell::Text(agent.role);
    case RootField::kAgentStatus:
      return Cell::Text(agent.status);
    case RootField::kAgentTier:
      return Cell::Number(agent.tier);
    case RootField::kAgentLabels: {
      std::vector<Cell> labels;
      for (const absl::string_view label : agent.labels) {
        labels.push_back(Cell::Text(label));
      }
      return Cell::Parts(std::move(labels));
    }
    case RootField::kTenantId:
      return Cell::Text(tenant.id);
    case RootField::kTenantSlug:
      return Cell::Text(tenant.slug);
    case RootField::kTenantSeat:
      return Cell::Number(static_cast<int64_t>(tenant.seat));
    case RootField::kBudgetExists:
      return Cell::Bool(budget.exists);
    case RootField::kBudgetRemaining:
      return Cell::Number(budget.remaining_micros_usd);
    case RootField::kBudgetUsed:
      return Cell::Number(
          UsedPart(budget.remaining_micros_usd, budget.limit_micros_usd));
    case RootField::kNow:
      return Cell::Number(absl::ToUnixMicros(request_.now));
  }
  SGL_CHECK(false) << "root field " << static_cast<int>(field);
  return Cell();
}

Cell Walker::ReadPath(const Path& path) const {
  if (path.root == PathRoot::kFixed) {
    return Fixed(static_cast<RootField>(path.index));
  }
  Cell value = path.root == PathRoot::kPayload ? At(payload_.slots, path.index)
                                               : At(variables_, path.index);
  for (const int32_t step : path.steps) {
    if (!value.is_present()) return value;
    value = Cell(At(*value.parts, step));
  }
  return value;
}

Cell Walker::Junction(const Node& node, bool decisive) {
  std::optional<Cell> fault;
  for (int i = 0; i < node.child_count; ++i) {
    const Cell operand = Walk(policy_.child(node, i));
    if (!operand.is_present()) {
      if (!fault.has_value()) fault = FaultOf(operand);
    } else if (operand.is_true() == decisive) {
      return Cell::Bool(decisive);
    }
  }
  return fault.value_or(Cell::Bool(!decisive));
}

Cell Walker::Loop(const Node& node) {
  const Cell list = Walk(policy_.child(node, 0));
  if (!list.is_present()) return FaultOf(list);
  // A loop inside a def may bear the number of the loop around its use.
  const size_t number = static_cast<size_t>(node.index);
  SGL_CHECK_LT(number, variables_.size());
  const Cell outer = variables_[number];
  std::vector<Cell> bodies;
  for (const Cell& item : *list.parts) {
    variables_[number] = item;
    bodies.push_back(Walk(policy_.child(node, 1)));
  }
  variables_[number] = outer;

  int64_t trues = 0;
  int64_t falses = 0;
  std::optional<Cell> fault;
  for (const Cell& body : bodies) {
    if (body.is_true()) ++trues;
    if (body.is_false()) ++falses;
    if (!body.is_present() && !fault.has_value()) fault = FaultOf(body);
  }
  if (node.op == Op::kAny && trues > 0) return Cell::Bool(true);
  if (node.op == Op::kAll && falses > 0) return Cell::Bool(false);
  if (fault.has_value()) return *fault;
  if (node.op == Op::kCount) return Cell::Number(trues);
  return Cell::Bool(node.op == Op::kAll);
}

Cell Walker::Sum(const Node& node) {
  const Cell list = Walk(policy_.child(node, 0));
  if (!list.is_present()) return FaultOf(list);
  absl::int128 total = 0;
  for (const Cell& record : *list.parts) {
    if (!record.is_present()) return FaultOf(record);
    const Cell& field = At(*record.parts, node.index);
    if (!field.is_present()) return FaultOf(field);
    total += field.number;
  }
  return NarrowOrFault(total);
}

Cell Walker::Scan(const Node& node) const {
  return Cell::Bool(
      AnyStringMatches(At(policy_.regexes, node.index), *payload_.tree));
}

Cell Walker::InSet(const Node& node, const Cell& value) const {
  const ConstantSet& set = At(policy_.sets, node.index);
  const TypeKind kind = policy_.types.kind(set.element);
  if (kind == TypeKind::kString || kind == TypeKind::kSymbol) {
    return Cell::Bool(
        std::count(set.texts.begin(), set.texts.end(), value.text) > 0);
  }
  return Cell::Bool(
      std::count(set.numbers.begin(), set.numbers.end(), value.number) > 0);
}

Cell Walker::Apply(const Node& node, const std::vector<Cell>& operands) const {
  const Cell& left = operands.front();
  const Cell& right = operands.back();
  switch (node.op) {
    case Op::kNot:
      return Cell::Bool(left.is_false());
    case Op::kEqual:
      return Cell::Bool(SameScalar(left, right));
    case Op::kNotEqual:
      return Cell::Bool(!SameScalar(left, right));
    case Op::kLess:
      return Cell::Bool(left.number < right.number);
    case Op::kLessEqual:
      return Cell::Bool(left.number <= right.number);
    case Op::kGreater:
      return Cell::Bool(left.number > right.number);
    case Op::kGreaterEqual:
      return Cell::Bool(left.number >= right.number);
    case Op::kInSet:
      return InSet(node, left);
    case Op::kInRange: {
      const ConstantRange& range = At(policy_.ranges, node.index);
      return Cell::Bool(range.low <= left.number && left.number <= range.high);
    }
    case Op::kInList:
      return Cell::Bool(std::any_of(
          right.parts->begin(), right.parts->end(), [&](const Cell& item) {
            return item.is_present() && SameScalar(item, left);
          }));
    case Op::kMatches:
      return Cell::Bool(HasMatch(At(policy_.regexes, node.index), left.text));
    case Op::kStartsWith:
      return Cell::Bool(absl::StartsWith(left.text, right.text));
    case Op::kEndsWith:
      return Cell::Bool(absl::EndsWith(left.text, right.text));
    case Op::kContains:
      return Cell::Bool(left.text.find(right.text) != std::string::npos);
    case Op::kNegate:
      return NarrowOrFault(-absl::int128(left.number));
    case Op::kSize:
      return Cell::Number(left.parts != nullptr
                              ? static_cast<int64_t>(left.parts->size())
                              : CountCodePoints(left.text));
    case Op::kLower:
      return Cell::Text(LowerAToZ(left.text));
    case Op::kHour:
    case Op::kWeekday: {
      const auto zone = zones_.by_name.find(At(policy_.zones, node.index));
      SGL_CHECK(zone != zones_.by_name.end());
      return Cell::Number(node.op == Op::kHour
                              ? HourIn(left.number, zone->second)
                              : WeekdayIn(left.number, zone->second));
    }
    case Op::kDomain: {
      const std::optional<std::string> host = HostOf(left.text);
      return host.has_value() ? Cell::Text(*host) : Cell::Fault(kNotAUrl);
    }
    default:
      return Arithmetic(node, left, right);
  }
}

Cell Walker::Arithmetic(const Node& node, const Cell& left,
                        const Cell& right) const {
  const absl::int128 a = left.number;
  const absl::int128 b = right.number;
  switch (node.op) {
    case Op::kAdd:
      return NarrowOrFault(a + b);
    case Op::kSubtract:
      return NarrowOrFault(a - b);
    case Op::kMultiply: {
      bool has_decimal = false;
      for (int i = 0; i < node.child_count; ++i) {
        const TypeId type = policy_.node(policy_.child(node, i)).type;
        if (policy_.types.kind(type) == TypeKind::kDecimal) has_decimal = true;
      }
      return NarrowOrFault(has_decimal ? DivideByBillion(a * b) : a * b);
    }
    default:
      break;
  }
  SGL_CHECK(false) << "operator " << static_cast<int>(node.op);
  return Cell();
}

}  // namespace sgl::reference
