// Requests to facts at the speed of their bytes.
//
// Gives what DecodeFacts gives, in one walk over the JSON: every declared field
// validated, the others skipped, duplicates and broken text found wherever they
// are. What fits is read without allocating, once the reader and the facts have
// grown. Anything that does not fit, or is rare, is read again by the exact
// readers (policy/eval/request_line.h, DecodeFacts), whose wording and order
// hold; Facts::payload has nodes only then.
//
//   FactsReader reader(program);     // one for each thread
//   Facts facts;                     // used again and again
//   reader.Read(request, &facts);
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_FACTS_READER_H_
#define POLICY_EVAL_FACTS_READER_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <vector>

#include "policy/compile/program.h"
#include "policy/eval/facts.h"
#include "policy/eval/json_cursor.h"
#include "policy/eval/limits.h"
#include "policy/eval/request.h"

namespace sgl {

// Reads the requests of one program, which outlives it. Confined to one thread.
class FactsReader {
 public:
  explicit FactsReader(const DecisionProgram& program);

  // Decodes a request, which the facts then view; its payload they copy.
  void Read(const Request& request, Facts* facts);

  // Reads a request line (policy/eval/request_line.h) into facts that own all
  // they view. INVALID_ARGUMENT as RequestLine::Read. `limit_totals_or_null` is
  // what limits counted before, see Request.
  absl::Status ReadLine(absl::string_view line,
                        const LimitTotals* limit_totals_or_null, Facts* facts);

 private:
  // A shape of the payload, and the cells of its record.
  struct Part {
    const ProgramShape* shape = nullptr;
    const RecordPlan* record = nullptr;
    uint32_t first_cell = 0;
  };
  static constexpr int kPartsMax = 3;  // star, platform type, tenant type

  // Each of the following returns false for what is unusual.
  bool TryRead(const Request& request);
  bool TryReadLine(absl::string_view line);
  bool ReadLineMembers();
  bool ReadIntent();
  bool ReadAgent();
  bool ReadTenant();
  bool ReadBudget();
  bool ReadTexts(std::vector<absl::string_view>* texts);
  bool ReadTime(absl::Time* time);
  bool ReadDataClass();
  // Reads the payload at hand, or leaves it for later where the line has not
  // said yet whose it is.
  bool ReadLinePayload(bool has_type);
  bool ReadPayload();
  // Finds what is missing, and fills the slots.
  bool CompletePayload();

  // Empties the facts, and keeps their storage.
  void Reset(Facts* facts);
  // Has the exact decoder read the request.
  void ReadExactly(const Request& request, Facts* facts);
  // Each looks up what the request names, the type first.
  void ResolveType();
  void ResolveTenant();
  void AddPart(const ProgramShape& shape);
  void FillSlots();
  void Finish();

  bool ReadMembers();
  bool ReadRecord(const RecordPlan& record, int depth, Value* value);
  bool ReadUndeclared(const MemberKey& key, size_t frame, int depth);
  bool ReadValue(int32_t type, int depth, Value* value);
  bool ReadText(const TypePlan& type, Value* value);
  bool ReadList(int32_t element, int depth, Value* value);
  // Gives each cell that was not read its Missing, if it may.
  bool FillMissing(const RecordPlan& record, uint32_t first_cell);

  const DecisionProgram& program_;
  bool has_tenant_types_ = false;
  JsonCursor cursor_;
  // Items of the lists that are open.
  std::vector<Value> items_;

  // Of the request at hand.
  Facts* facts_ = nullptr;
  Request* line_request_ = nullptr;
  Part parts_[kPartsMax];
  int part_count_ = 0;
  bool is_type_resolved_ = false;
  bool is_platform_type_ = false;
  // Of a line: whether its payload was read, and where it was left for later.
  bool is_payload_read_ = false;
  const uint32_t* payload_place_ = nullptr;
};

}  // namespace sgl

#endif  // POLICY_EVAL_FACTS_READER_H_
