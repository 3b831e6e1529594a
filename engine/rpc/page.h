// One page of a list: what the request asks for, the token that goes with it
// and where the page ends. Internal to engine/rpc.
//
//   const absl::StatusOr<Page> page = ReadPage(request);
//   ... rows = ListThings(tx, filter, page->after, page->size) ...
//   return FillPage(*page, *rows, response->mutable_things(), response);

#ifndef ENGINE_RPC_PAGE_H_
#define ENGINE_RPC_PAGE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/rpc/convert.h"
#include "engine/rpc/page_token.h"
#include "storage/intents.h"

namespace sgl::engine {

struct Page {
  int size = kPageSizeDefault;
  // Unset: the first.
  std::optional<storage::PageCursor> after = {};
  // The filter's serialized bytes: what the page's tokens are good for.
  std::string filter = {};
};

// Reads page_size, page_token and filter. INVALID_ARGUMENT as page_token.h
// says.
template <typename Request>
absl::StatusOr<Page> ReadPage(const Request& request) {
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  Page page = {.size = *size, .filter = request.filter().SerializeAsString()};
  if (request.page_token().empty()) return page;
  const absl::StatusOr<storage::PageCursor> after =
      DecodePageToken(request.page_token(), page.filter);
  if (!after.ok()) return after.status();
  page.after = *after;
  return page;
}

// Converts the rows into messages, up to kPageBytesMax (but one at least), and
// sets the next page's token where there may be one: a full page may be the
// last, and the next one is empty then.
template <typename Row, typename Message, typename Response>
absl::Status FillPage(const Page& page, const std::vector<Row>& rows,
                      google::protobuf::RepeatedPtrField<Message>* messages,
                      Response* response) {
  bool is_full = static_cast<int>(rows.size()) == page.size;
  size_t bytes = 0;
  for (const Row& row : rows) {
    Message* const message = messages->Add();
    const absl::Status converted = ToProto(row, message);
    if (!converted.ok()) return converted;
    bytes += message->ByteSizeLong();
    if (bytes <= kPageBytesMax || messages->size() == 1) continue;
    messages->RemoveLast();
    is_full = true;
    break;
  }
  if (!is_full) return absl::OkStatus();
  const Row& last = rows[static_cast<size_t>(messages->size()) - 1];
  response->set_next_page_token(
      EncodePageToken({last.created_at, last.id}, page.filter));
  return absl::OkStatus();
}

}  // namespace sgl::engine

#endif  // ENGINE_RPC_PAGE_H_
