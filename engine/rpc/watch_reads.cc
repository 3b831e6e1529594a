#include "engine/rpc/watch_reads.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/call_scope.h"
#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/watch_cursor.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/watches.h"

namespace sgl::engine {
namespace {

// Rows a look takes: with the largest payloads 4 MiB, which is what a slow
// client can hold of our memory.
constexpr int kPageRows = 16;

// How the two kinds of rows differ.
struct Intents {
  using Request = intent::v1::WatchIntentsRequest;
  using Response = intent::v1::WatchIntentsResponse;
  using Row = storage::IntentRow;
  using Filter = storage::IntentFilter;
  static constexpr absl::string_view kName = "intents";

  static auto Changed(storage::Transaction& tx, const Filter& filter,
                      const storage::WatchPosition& position) {
    return storage::ChangedIntents(tx, filter, position, kPageRows);
  }
  static auto Get(storage::Transaction& tx,
                  const std::vector<std::string>& ids) {
    return storage::GetIntents(tx, ids);
  }
  // A row may have changed between the two statements.
  static bool Fits(const Row& row, const Filter& filter) {
    return (!filter.status.has_value() || row.status == *filter.status) &&
           (!filter.created_from.has_value() ||
            row.created_at >= *filter.created_from) &&
           (!filter.created_to.has_value() ||
            row.created_at < *filter.created_to);
  }
  static auto* Mutable(Response& response) { return response.mutable_intent(); }
};

struct Memos {
  using Request = intent::v1::WatchDecisionMemosRequest;
  using Response = intent::v1::WatchDecisionMemosResponse;
  using Row = storage::MemoRow;
  using Filter = storage::MemoFilter;
  static constexpr absl::string_view kName = "memos";

  static auto Changed(storage::Transaction& tx, const Filter& filter,
                      const storage::WatchPosition& position) {
    return storage::ChangedMemos(tx, filter, position, kPageRows);
  }
  static auto Get(storage::Transaction& tx,
                  const std::vector<std::string>& ids) {
    return storage::GetMemos(tx, ids);
  }
  static bool Fits(const Row& row, const Filter& filter) {
    return !filter.status.has_value() || row.status == *filter.status;
  }
  static auto* Mutable(Response& response) {
    return response.mutable_decision_memo();
  }
};

// One watch's place. Confined to whoever reads its pages, one at a time.
template <typename Kind>
class PageReader {
 public:
  using Response = typename Kind::Response;
  using Page = typename WatchStream<Response>::Page;

  PageReader(storage::Database* db, typename Kind::Request request)
      : db_(db), request_(std::move(request)) {}

  absl::StatusOr<Page> Read(const storage::Principal& caller, bool wants_beat) {
    if (watch_.empty()) {
      const absl::Status begun = Begin(caller);
      if (!begun.ok()) return begun;
    }
    absl::StatusOr<storage::Transaction> tx = db_->Begin(
        {.tenants = {caller.tenant_id}, .statement_timeout = kCallTimeoutMax});
    if (!tx.ok()) return tx.status();
    const absl::StatusOr<storage::Changes> changes =
        Kind::Changed(*tx, filter_, position_);
    if (changes.status().code() == absl::StatusCode::kInvalidArgument) {
      return BadField("cursor", changes.status().message());
    }
    if (!changes.ok()) return changes.status();
    Page page;
    const absl::Status filled = Fill(*tx, *changes, page);
    if (!filled.ok()) return filled;
    position_ = changes->position;
    page.has_more = changes->has_more;
    if (page.responses.empty() && wants_beat) {
      page.responses.emplace_back().set_cursor(
          EncodeWatchCursor(position_, watch_));
    }
    return page;
  }

 private:
  // Finds out what is watched from where.
  absl::Status Begin(const storage::Principal& caller) {
    absl::StatusOr<typename Kind::Filter> filter = FromProto(request_.filter());
    if (!filter.ok()) return filter.status();
    filter_ = *std::move(filter);
    const std::string watch =
        absl::StrCat(Kind::kName, "|", caller.tenant_id, "|",
                     request_.filter().SerializeAsString());
    if (!request_.cursor().empty()) {
      if (request_.include_existing()) {
        return BadField("include_existing",
                        "with a cursor, what comes after it is sent; leave "
                        "one of the two out");
      }
      absl::StatusOr<storage::WatchPosition> position =
          DecodeWatchCursor(request_.cursor(), watch);
      if (!position.ok()) return position.status();
      position_ = *std::move(position);
    } else if (request_.include_existing()) {
      position_.since = storage::kSinceEver;
    }
    watch_ = watch;
    return absl::OkStatus();
  }

  absl::Status Fill(storage::Transaction& tx, const storage::Changes& changes,
                    Page& page) {
    if (changes.rows.empty()) return absl::OkStatus();
    std::vector<std::string> ids;
    for (const storage::Changes::Row& row : changes.rows) ids.push_back(row.id);
    const absl::StatusOr<std::vector<typename Kind::Row>> rows =
        Kind::Get(tx, ids);
    if (!rows.ok()) return rows.status();
    absl::flat_hash_map<absl::string_view, const typename Kind::Row*> by_id;
    for (const typename Kind::Row& row : *rows) by_id[row.id] = &row;
    for (const storage::Changes::Row& change : changes.rows) {
      const auto found = by_id.find(change.id);
      if (found == by_id.end() || !Kind::Fits(*found->second, filter_)) {
        continue;
      }
      Response& response = page.responses.emplace_back();
      const absl::Status converted =
          ToProto(*found->second, Kind::Mutable(response));
      if (!converted.ok()) return converted;
      response.set_cursor(EncodeWatchCursor(change.position, watch_));
    }
    return absl::OkStatus();
  }

  storage::Database* const db_;
  const typename Kind::Request request_;
  typename Kind::Filter filter_;
  storage::WatchPosition position_;
  // What its cursors are bound to. Empty until the first page.
  std::string watch_;
};

template <typename Kind>
WatchReader<typename Kind::Response> MakeReader(
    storage::Database* db, const typename Kind::Request& request) {
  return [reader = std::make_shared<PageReader<Kind>>(db, request)](
             const storage::Principal& caller, bool wants_beat) {
    return reader->Read(caller, wants_beat);
  };
}

}  // namespace

WatchReader<intent::v1::WatchIntentsResponse> IntentWatchReader(
    storage::Database* db, const intent::v1::WatchIntentsRequest& request) {
  return MakeReader<Intents>(db, request);
}

WatchReader<intent::v1::WatchDecisionMemosResponse> MemoWatchReader(
    storage::Database* db,
    const intent::v1::WatchDecisionMemosRequest& request) {
  return MakeReader<Memos>(db, request);
}

}  // namespace sgl::engine
