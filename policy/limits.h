// Every bound of the language, with its reason. Each has a diagnostic of its
// own, so that an author who meets one learns which.

#ifndef POLICY_LIMITS_H_
#define POLICY_LIMITS_H_

#include <cstdint>

namespace sgl {

// One file. The largest policies seen in practice, 100,000 generated rules,
// take 15 MB; a longer text is a mistake (a log, an export) and is refused
// unread, at once.
inline constexpr int64_t kSourceBytesMax = 32 << 20;

// Files in one policy set: a platform and some thousands of tenants.
inline constexpr int kFilesMax = 10'000;

// Parentheses, list types and operators inside each other. The condition
// itself is level 1: 199 parentheses around a name pass, 200 are refused.
// Twenty is unusual by hand; 200 keeps the parser's stack under 200 KB.
inline constexpr int kNestingMax = 200;

// Depth of a checked expression with its defs put in place. Bounds the stack
// of every recursive walk (the checker, the evaluators).
inline constexpr int kNodeDepthMax = 500;

// Rules in a policy set: ten times the largest benchmark.
inline constexpr int kRulesMax = 1'000'000;

// Items of one set literal: a list of sanctioned accounts fits.
inline constexpr int kSetItemsMax = 100'000;

// Fields of one record and members of one enum; both are looked up by name.
inline constexpr int kFieldsMax = 1'000;

// Bytes of one regex, and what RE2 may spend on compiling and matching it
// (RE2's own default). Larger patterns are lists in disguise: use a set.
inline constexpr int kRegexBytesMax = 8'192;
inline constexpr int64_t kRegexMemoryMax = 8 << 20;

// Bytes of one string literal after unescaping.
inline constexpr int kStringBytesMax = 65'536;

// Variables of any/all/count nested in each other: each walks a list inside
// the one before, so that deeper nests do not come from real payloads.
inline constexpr int kVariablesMax = 8;

// A name (field, code, type, role). Codes go into database columns and logs.
inline constexpr int kNameBytesMax = 256;

// `risk` is a tier, shown to people; `approvals` counts people.
inline constexpr int64_t kRiskMax = 1'000;
inline constexpr int64_t kApprovalsMax = 100;

// `within`: ten years. A longer deadline is none.
inline constexpr int64_t kWithinMicrosMax = int64_t{3'650} * 86'400'000'000;

// Limits in a policy set. Each that matches costs a look-up of its total.
inline constexpr int kLimitsMax = 10'000;

// A limit's window: ten years. Counts live as long as their window.
inline constexpr int64_t kWindowMicrosMax = int64_t{3'650} * 86'400'000'000;

// Elements of one payload list that any/all/count, sum, size and contains
// walk; a longer one is INVALID_PAYLOAD.
inline constexpr int kListItemsMax = 10'000;

// Diagnostics kept in one run; the cap protects the terminal.
inline constexpr int kDiagnosticsMax = 1'000;

}  // namespace sgl

#endif  // POLICY_LIMITS_H_
