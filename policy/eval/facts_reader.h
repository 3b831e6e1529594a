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
#include "policy/eval/json_tokens.h"
#include "policy/eval/limits.h"
#include "policy/eval/request.h"

namespace sgl {

// Reads the requests of one program, which outlives it. Confined to one thread.
class FactsReader {
 public:
  explicit FactsReader(const DecisionProgram &program);

  // Decodes a request, which the facts then view; its payload they copy.
  void Read(const Request &request, Facts *facts);

  // Reads a request line (policy/eval/request_line.h) into facts that own all
  // they view. INVALID_ARGUMENT as RequestLine::Read. `limit_totals_or_null` is
  // what limits counted before, see Request.
  absl::Status ReadLine(absl::string_view line,
                        const LimitTotals *limit_totals_or_null, Facts *facts);

 private:
  // A shape of the payload, and the cells of its record.
  struct Part {
    const ProgramShape *shape = nullptr;
    const RecordPlan *record = nullptr;
    uint32_t first_cell = 0;
  };
  static constexpr int kPartsMax = 3;  // star, platform type, tenant type

  // The following return false, or null, for what is unusual; a place, behind
  // what they read at the one that they are given.
  bool TryRead(const Request &request);
  bool TryReadLine(absl::string_view line);
  JsonPlace ReadLineMembers(JsonPlace at);
  JsonPlace ReadIntent(JsonPlace at);
  JsonPlace ReadAgent(JsonPlace at);
  JsonPlace ReadTenant(JsonPlace at);
  JsonPlace ReadBudget(JsonPlace at);
  JsonPlace ReadTexts(JsonPlace at, std::vector<absl::string_view> *texts);
  JsonPlace ReadTime(JsonPlace at, absl::Time *time);
  JsonPlace ReadDataClass(JsonPlace at);
  // Reads the payload, or leaves it for later where the line has not said yet
  // whose it is.
  JsonPlace ReadLinePayload(JsonPlace at, bool has_type);
  JsonPlace ReadPayload(JsonPlace at);
  // Finds what is missing, and fills the slots.
  bool CompletePayload();

  // Empties the facts, and keeps their storage.
  void Reset(Facts *facts);
  // Has the exact decoder read the request.
  void ReadExactly(const Request &request, Facts *facts);
  // Each looks up what the request names, the type first.
  void ResolveType();
  void ResolveTenant();
  void AddPart(const ProgramShape &shape);
  // Mostly a few, where a loop is cheaper than a resize.
  void AddCells(size_t count) {
    for (size_t i = 0; i < count; ++i) facts_->cells.emplace_back();
  }
  void FillSlots();
  void Finish();

  JsonPlace ReadMembers(JsonPlace at);
  JsonPlace ReadRecord(JsonPlace at, const RecordPlan &record, int depth,
                       Value *value);
  JsonPlace ReadUndeclared(JsonPlace at, const MemberKey &key, size_t frame,
                           int depth) {
    return tokens_.NoteKey(frame, key) ? tokens_.SkipValue(at, depth) : nullptr;
  }
  JsonPlace ReadValue(JsonPlace at, int32_t type, int depth, Value *value);
  JsonPlace ReadTextual(JsonPlace at, const TypePlan &type, Value *value);
  JsonPlace ReadList(JsonPlace at, int32_t element, int depth, Value *value);
  // Gives each cell that was not read its Missing, if it may.
  bool FillMissing(const RecordPlan &record, uint32_t first_cell);

  const DecisionProgram &program_;
  bool has_tenant_types_ = false;
  JsonTokens tokens_;
  // Items of the lists that are open.
  std::vector<Value> items_;

  // Of the request at hand.
  Facts *facts_ = nullptr;
  Request *line_request_ = nullptr;
  Part parts_[kPartsMax];
  int part_count_ = 0;
  bool is_type_resolved_ = false;
  bool is_platform_type_ = false;
  // Of a line: whether its payload was read, and where it was left for later.
  bool is_payload_read_ = false;
  JsonPlace payload_place_ = nullptr;
};

}  // namespace sgl

#endif  // POLICY_EVAL_FACTS_READER_H_
