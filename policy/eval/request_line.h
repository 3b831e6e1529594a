// One line of `sgl eval`'s input as a request.
//
//   {"intent": {"type": "BANK_TRANSFER", "spend_usd": 900, "payload": {...}},
//    "agent": {"name": "ATLAS"}, "tenant": {"slug": "acme"},
//    "budget": {"remaining_usd": 50, "limit_usd": 100},
//    "now": "2026-03-01T09:00:00Z"}
//
// What is left out is the empty value of its type, `now` 1970. A value of
// `intent` that does not fit (a spend that is a string) is kept as a violation
// and decided INVALID_PAYLOAD; a line that can't be read as a request at all is
// an error.

#ifndef POLICY_EVAL_REQUEST_LINE_H_
#define POLICY_EVAL_REQUEST_LINE_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>

#include "policy/eval/request.h"

namespace sgl {

class JsonDocument;

// A request with the text that it views. Movable.
class RequestLine {
 public:
  // INVALID_ARGUMENT for broken JSON or UTF-8, no or a non-string
  // `intent.type`, a `payload` that is no object, an unknown key outside the
  // payload, and an ill-typed agent, tenant, budget or `now`.
  static absl::StatusOr<RequestLine> Read(absl::string_view line);

  RequestLine(RequestLine&&) noexcept;
  RequestLine& operator=(RequestLine&&) noexcept;
  ~RequestLine();

  // Valid as long as this object is.
  const Request& request() const { return request_; }

 private:
  RequestLine();

  std::unique_ptr<JsonDocument> document_;
  Request request_;
};

}  // namespace sgl

#endif  // POLICY_EVAL_REQUEST_LINE_H_
