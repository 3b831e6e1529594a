// The host of a URL, read so strictly that no two programs can disagree on it.

#ifndef POLICY_EVAL_URL_H_
#define POLICY_EVAL_URL_H_

#include <absl/strings/string_view.h>

#include <optional>

namespace sgl {

// Returns the host of `scheme://host…` as it stands in `url`, without userinfo,
// port and one final dot; `domain` is it in lower case. Nothing for all else,
// so that a trick URL is a fault and not
// a host of somebody's choice: a backslash, control character or space
// anywhere, an empty host, and a host with characters that RFC 3986 does not
// allow there or with a `%` (browsers decode it, and fold other alphabets onto
// ours).
std::optional<absl::string_view> UrlHost(absl::string_view url);

}  // namespace sgl

#endif  // POLICY_EVAL_URL_H_
