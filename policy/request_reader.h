// Requests from JSON bytes, as fast as their bytes are walked.
//
//   RequestReader reader(program);              // one for each thread
//   EvaluationContext context(program);         // likewise
//   ParsedRequest parsed;                       // used again for every line
//   while (std::getline(input, line)) {
//     const absl::Status status = reader.ReadLine(line, nullptr, &parsed);
//     if (status.ok()) Act(Evaluate(program, parsed, context));
//   }
//
// Reading what fits takes no lock and, once reader and parsed request have
// grown, does not allocate. What does not fit is read a second time, for the
// wording of what is wrong with it.
//
// Part of policy/policy.h, which callers include.

#ifndef POLICY_REQUEST_READER_H_
#define POLICY_REQUEST_READER_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <memory>

#include "policy/eval/limits.h"
#include "policy/eval/request.h"
#include "policy/evaluation.h"

namespace sgl {

class FactsReader;  // Internal to policy.

// Reads the requests of one program, which outlives it. Confined to one thread.
class RequestReader {
 public:
  explicit RequestReader(const Program& program);
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;
  ~RequestReader();

  // Reads as ParsedRequest's constructor does. The request is viewed, its
  // payload copied.
  void Read(const Request& request, ParsedRequest* parsed);

  // Reads a request line, see RequestLine; INVALID_ARGUMENT where that says so,
  // with the same message, and then `parsed` is to be read into again first.
  // What it holds else, views nothing of the caller's but the totals: what
  // limits counted before, or null, see Request::limit_totals.
  absl::Status ReadLine(absl::string_view line,
                        const LimitTotals* limit_totals_or_null,
                        ParsedRequest* parsed);

 private:
  std::unique_ptr<FactsReader> reader_;
};

}  // namespace sgl

#endif  // POLICY_REQUEST_READER_H_
