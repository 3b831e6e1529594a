// One request line, read by the reference evaluator's own code: checks
// RequestLine as the reference checks Evaluate. For tests only.

#ifndef POLICY_EVAL_REFERENCE_LINE_H_
#define POLICY_EVAL_REFERENCE_LINE_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <string>

#include "policy/eval/request.h"

namespace sgl {

// A request with the text that it views. Not copyable, so that views hold.
class ReferenceLine {
 public:
  // Null where the line gives `{"error": …}`.
  static std::unique_ptr<const ReferenceLine> Read(absl::string_view line);

  ReferenceLine(const ReferenceLine&) = delete;
  ReferenceLine& operator=(const ReferenceLine&) = delete;
  ~ReferenceLine();

  const Request& request() const { return request_; }

 private:
  struct Text;

  explicit ReferenceLine(absl::string_view line);

  std::unique_ptr<Text> text_;
  Request request_;
};

}  // namespace sgl

#endif  // POLICY_EVAL_REFERENCE_LINE_H_
