// UUIDs as text: what the storage layer takes for ids.

#ifndef STORAGE_UUID_H_
#define STORAGE_UUID_H_

#include <absl/strings/string_view.h>

#include <string>

namespace sgl::storage {

// Returns a new random UUID (version 4), lower case. Thread-safe.
std::string NewUuid();

// Returns whether the text is a UUID in its usual form, 8-4-4-4-12 hex digits
// of either case.
bool IsUuid(absl::string_view text);

}  // namespace sgl::storage

#endif  // STORAGE_UUID_H_
