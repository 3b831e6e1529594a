// Reads rows of the view intent_rows. Internal to storage/: intents and memos
// both read intents.

#ifndef STORAGE_INTENT_COLUMNS_H_
#define STORAGE_INTENT_COLUMNS_H_

#include <absl/strings/string_view.h>

#include "storage/intents.h"
#include "storage/session.h"

namespace sgl::storage {

// Reads the view's columns, from where the reader stands. Raises INTERNAL for
// a status that this build doesn't know.
IntentRow ReadIntentRow(RowReader& reader);

// Raises NOT_FOUND for an id that is no UUID: no row can have it.
void RequireId(absl::string_view what, absl::string_view id);

// Adds a page's cursor and limit to a list's arguments, checked.
void AddPage(const std::optional<PageCursor>& after, int limit, Args& args);

// Puts what claim functions answered as `intent.tenants` on record.
void NoteClaimedTenants(Session& session, absl::string_view setting);

}  // namespace sgl::storage

#endif  // STORAGE_INTENT_COLUMNS_H_
