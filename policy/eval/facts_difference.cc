#include "policy/eval/facts_difference.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <cstddef>
#include <cstdint>

#include "policy/check/types.h"
#include "policy/compile/program.h"
#include "policy/eval/facts.h"
#include "policy/eval/facts_reader.h"
#include "policy/eval/request_line.h"

namespace sgl {
namespace {

// Compares the facts of one request. Confined to one comparison.
class Comparer {
 public:
  Comparer(const DecisionProgram& program, const Facts& exact,
           const Facts& fast)
      : program_(program), exact_(exact), fast_(fast) {}

  std::string Run();

 private:
  void CompareRequests(const Request& exact, const Request& fast);
  void CompareSlots(const ProgramShape& shape);
  void CompareValues(TypeId type, const Value& exact, const Value& fast);
  void CompareCells(TypeId type, uint32_t exact, uint32_t fast);

  template <typename T>
  void Expect(const T& exact, const T& fast, absl::string_view what) {
    if (!(exact == fast) && difference_.empty()) {
      difference_ = absl::StrCat("the readers differ in ", what);
    }
  }

  const DecisionProgram& program_;
  const Facts& exact_;
  const Facts& fast_;
  std::string difference_;
};

std::string Comparer::Run() {
  CompareRequests(*exact_.request, *fast_.request);
  Expect(exact_.is_type_known, fast_.is_type_known,
         "whether the type is known");
  Expect(exact_.type_id, fast_.type_id, "the type");
  Expect(exact_.tenant_layer, fast_.tenant_layer, "the tenant's layer");
  Expect(exact_.budget_used, fast_.budget_used, "the budget's use");
  Expect(exact_.violations.size(), fast_.violations.size(), "violations");
  Expect(exact_.strings, fast_.strings, "strings");
  Expect(exact_.slots.size(), fast_.slots.size(), "the number of slots");
  if (!difference_.empty()) return difference_;
  for (size_t i = 0; i < exact_.violations.size(); ++i) {
    Expect(exact_.violations[i].path, fast_.violations[i].path, "a path");
    Expect(exact_.violations[i].message, fast_.violations[i].message,
           "a message");
  }
  if (!exact_.is_type_known || !exact_.violations.empty()) return difference_;
  CompareValues(kStringListType, exact_.labels, fast_.labels);
  for (size_t i = 0; i < exact_.slots.size(); ++i) {
    Expect(exact_.slots[i].state, fast_.slots[i].state,
           absl::StrCat("slot ", i));
  }
  for (size_t i = 0; i < program_.fixed_fields.size(); ++i) {
    const auto field = static_cast<RootField>(program_.fixed_fields[i]);
    const size_t slot = static_cast<size_t>(program_.slot_count) + i;
    for (const Facts* facts : {&exact_, &fast_}) {
      const Value wanted = FixedValue(*facts, field);
      Expect(wanted.number, facts->slots[slot].number, "a fact's slot");
      Expect(wanted.count, facts->slots[slot].count, "the size in its slot");
    }
  }
  CompareSlots(program_.star);
  const std::string type(exact_.request->intent.type);
  const auto shape = program_.platform_types.find(type);
  if (shape != program_.platform_types.end()) CompareSlots(shape->second);
  if (exact_.tenant_layer >= 0) {
    const auto& types =
        program_.layers[static_cast<size_t>(exact_.tenant_layer)].types;
    const auto own = types.find(type);
    if (own != types.end()) CompareSlots(own->second);
  }
  return difference_;
}

void Comparer::CompareRequests(const Request& exact, const Request& fast) {
  Expect(exact.intent.id, fast.intent.id, "intent.id");
  Expect(exact.intent.type, fast.intent.type, "intent.type");
  Expect(exact.intent.requested_by, fast.intent.requested_by, "requested_by");
  Expect(exact.intent.payload, fast.intent.payload, "the payload's text");
  Expect(exact.intent.spend_micros_usd, fast.intent.spend_micros_usd, "spend");
  Expect(exact.intent.data_class, fast.intent.data_class, "data_class");
  Expect(exact.intent.created_at, fast.intent.created_at, "created_at");
  Expect(exact.agent.known, fast.agent.known, "agent.known");
  Expect(exact.agent.id, fast.agent.id, "agent.id");
  Expect(exact.agent.name, fast.agent.name, "agent.name");
  Expect(exact.agent.role, fast.agent.role, "agent.role");
  Expect(exact.agent.status, fast.agent.status, "agent.status");
  Expect(exact.agent.tier, fast.agent.tier, "agent.tier");
  Expect(exact.agent.labels, fast.agent.labels, "agent.labels");
  Expect(exact.tenant.id, fast.tenant.id, "tenant.id");
  Expect(exact.tenant.slug, fast.tenant.slug, "tenant.slug");
  Expect(exact.tenant.seat, fast.tenant.seat, "tenant.seat");
  Expect(exact.tenant.connected, fast.tenant.connected, "tenant.connected");
  Expect(exact.budget.exists, fast.budget.exists, "budget.exists");
  Expect(exact.budget.remaining_micros_usd, fast.budget.remaining_micros_usd,
         "budget.remaining_usd");
  Expect(exact.budget.limit_micros_usd, fast.budget.limit_micros_usd,
         "budget.limit_usd");
  Expect(exact.now, fast.now, "now");
  Expect(exact.limit_totals, fast.limit_totals, "the limits' totals");
}

void Comparer::CompareSlots(const ProgramShape& shape) {
  if (program_.types.kind(shape.fields) != TypeKind::kRecord) return;
  for (const SlotSource& source : shape.slots) {
    TypeId type = shape.fields;
    for (const int32_t step : source.steps) {
      const Type& record = program_.types[program_.types.Required(type)];
      type = record.fields[static_cast<size_t>(step)].type;
    }
    const size_t slot = static_cast<size_t>(source.slot);
    CompareValues(type, exact_.slots[slot], fast_.slots[slot]);
  }
}

void Comparer::CompareValues(TypeId type, const Value& exact,
                             const Value& fast) {
  Expect(exact.state, fast.state, "whether a value is there");
  if (!difference_.empty() || !exact.is_present()) return;
  const Type& required = program_.types[program_.types.Required(type)];
  switch (required.kind) {
    case TypeKind::kString:
    case TypeKind::kSymbol:
      return Expect(exact.text(), fast.text(), "a text");
    case TypeKind::kList:
      Expect(exact.count, fast.count, "a list's size");
      if (!difference_.empty()) return;
      for (uint32_t i = 0; i < exact.count; ++i) {
        CompareCells(required.element, exact.first + i, fast.first + i);
      }
      return;
    case TypeKind::kRecord:
      for (uint32_t i = 0; i < required.fields.size(); ++i) {
        CompareCells(required.fields[i].type, exact.first + i, fast.first + i);
      }
      return;
    default:
      return Expect(exact.number, fast.number, "a number");
  }
}

void Comparer::CompareCells(TypeId type, uint32_t exact, uint32_t fast) {
  CompareValues(type, exact_.cells[exact], fast_.cells[fast]);
}

}  // namespace

ReaderPair::ReaderPair(const DecisionProgram& program)
    : program_(program),
      reader_(std::make_unique<FactsReader>(program)),
      of_line_(std::make_unique<Facts>()),
      of_request_(std::make_unique<Facts>()) {}

ReaderPair::~ReaderPair() = default;

std::string ReaderPair::Difference(absl::string_view line) {
  const absl::StatusOr<RequestLine> exact_line = RequestLine::Read(line);
  const absl::Status status = reader_->ReadLine(line, nullptr, of_line_.get());
  was_fast_ = status.ok() && !of_line_->storage->line.has_value();
  if (exact_line.status() != status) {
    return absl::StrCat("the exact reader: ", exact_line.status().ToString(),
                        "\nthe fast reader: ", status.ToString());
  }
  if (!status.ok()) return "";
  const Facts exact = DecodeFacts(program_, exact_line->request());
  std::string difference = Comparer(program_, exact, *of_line_).Run();
  if (!difference.empty()) return absl::StrCat(difference, " of a line");
  reader_->Read(exact_line->request(), of_request_.get());
  difference = Comparer(program_, exact, *of_request_).Run();
  if (!difference.empty()) return absl::StrCat(difference, " of a request");
  return "";
}

}  // namespace sgl
