#include "policy/request_reader.h"

#include "policy/eval/facts.h"
#include "policy/eval/facts_reader.h"
#include "policy/policy.h"

namespace sgl {

RequestReader::RequestReader(const Program& program)
    : reader_(std::make_unique<FactsReader>(program.compiled())) {}

RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

void RequestReader::Read(const Request& request, ParsedRequest* parsed) {
  reader_->Read(request, parsed->facts_.get());
}

absl::Status RequestReader::ReadLine(absl::string_view line,
                                     const LimitTotals* limit_totals_or_null,
                                     ParsedRequest* parsed) {
  return reader_->ReadLine(line, limit_totals_or_null, parsed->facts_.get());
}

}  // namespace sgl
