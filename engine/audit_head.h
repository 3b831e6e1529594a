// What is signed and shown of an audit log: the leaf that an entry is, the
// note that a head is, and the line of JSON that a head is kept as outside of
// the database. Pure.
//
// The note is text, so that anybody can check it with a public key and any
// tool:
//
//   intent-engine audit head 1
//   log 0a6f...            the tenant's id, or the nil UUID: the platform's
//   size 1042
//   root 5dc9da79...       hex
//   time 1764000000000000  microseconds since 1970, by the database's clock
//   key 8f2c...            the key's id

#ifndef ENGINE_AUDIT_HEAD_H_
#define ENGINE_AUDIT_HEAD_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "storage/audit_records.h"
#include "storage/seals.h"

namespace sgl::engine {

// Returns the bytes that are hashed into the tree for an entry. Injective: a
// column is a byte that says whether it is null, and else its length (8 bytes,
// most significant first) and its text.
std::string AuditLeaf(const storage::AuditRecord& record);
// Returns the leaf's hash.
std::string AuditLeafHash(const storage::AuditRecord& record);

// Returns the text that a head's signature signs; empty key ids too.
std::string HeadNote(const storage::SealHead& head);

// Returns the head as one line of JSON, without the newline.
std::string HeadJson(const storage::SealHead& head);
// Reads such a line. INVALID_ARGUMENT where it is none.
absl::StatusOr<storage::SealHead> ParseHeadJson(absl::string_view line);
// Reads a file of such lines; empty lines are skipped, and so is a last line
// without a newline that can't be read: a write that was cut short.
absl::StatusOr<std::vector<storage::SealHead>> ParseHeads(
    absl::string_view text);

}  // namespace sgl::engine

#endif  // ENGINE_AUDIT_HEAD_H_
