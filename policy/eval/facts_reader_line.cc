// The part of FactsReader that reads request lines: the known keys of `intent`,
// `agent`, `tenant` and `budget`, each at most once, around the payload.

#include <absl/time/time.h>

#include <optional>
#include <utility>

#include "policy/eval/exact.h"
#include "policy/eval/facts_reader.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

// Returns a key to compare with.
constexpr MemberKey Name(absl::string_view name) {
  MemberKey key;
  key.text = name;
  const auto word = [&name](size_t from, size_t count) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      bytes |= uint64_t{static_cast<unsigned char>(name[from + i])} << (8 * i);
    }
    return bytes;
  };
  key.head = word(0, name.size() < 8 ? name.size() : 8);
  if (name.size() > 8) key.tail = word(name.size() - 8, 8);
  return key;
}

constexpr MemberKey kIntent = Name("intent");
constexpr MemberKey kAgent = Name("agent");
constexpr MemberKey kTenant = Name("tenant");
constexpr MemberKey kBudget = Name("budget");
constexpr MemberKey kNow = Name("now");
constexpr MemberKey kId = Name("id");
constexpr MemberKey kType = Name("type");
constexpr MemberKey kRequestedBy = Name("requested_by");
constexpr MemberKey kSpend = Name("spend_usd");
constexpr MemberKey kDataClass = Name("data_class");
constexpr MemberKey kCreatedAt = Name("created_at");
constexpr MemberKey kPayload = Name("payload");
constexpr MemberKey kKnown = Name("known");
constexpr MemberKey kName = Name("name");
constexpr MemberKey kRole = Name("role");
constexpr MemberKey kStatus = Name("status");
constexpr MemberKey kTier = Name("tier");
constexpr MemberKey kLabels = Name("labels");
constexpr MemberKey kSlug = Name("slug");
constexpr MemberKey kSeat = Name("seat");
constexpr MemberKey kConnected = Name("connected");
constexpr MemberKey kExists = Name("exists");
constexpr MemberKey kRemaining = Name("remaining_usd");
constexpr MemberKey kLimit = Name("limit_usd");

// Empties a request, and keeps its lists' storage.
void Clear(Request& request) {
  request.intent = {};
  AgentFacts& agent = request.agent;
  agent.known = false;
  agent.id = agent.name = agent.role = agent.status = {};
  agent.tier = 0;
  agent.labels.clear();
  TenantFacts& tenant = request.tenant;
  tenant.id = tenant.slug = {};
  tenant.seat = Seat::kFreeBeta;
  tenant.connected.clear();
  request.budget = {};
  request.now = absl::UnixEpoch();
  request.violations.clear();
}

// Reads an object's members: `read` is given each key, and returns the bit of a
// known one, 0 for what does not fit. No bit comes twice.
template <typename ReadMember>
bool ReadObject(JsonCursor& cursor, uint32_t* seen, ReadMember read) {
  if (!cursor.TakeMark('{')) return false;
  bool is_closed = cursor.TakeMark('}');
  while (!is_closed) {
    MemberKey key;
    if (!cursor.TakeKey(&key)) return false;
    const uint32_t bit = read(key);
    if (bit == 0 || (*seen & bit) != 0) return false;
    *seen |= bit;
    if (!cursor.TakeNext('}', &is_closed)) return false;
  }
  return true;
}

}  // namespace

absl::Status FactsReader::ReadLine(absl::string_view line,
                                   const LimitTotals* limit_totals_or_null,
                                   Facts* facts) {
  Reset(facts);
  FactsStorage& storage = *facts->storage;
  Clear(storage.request);
  storage.request.limit_totals = limit_totals_or_null;
  facts->request = &storage.request;
  line_request_ = &storage.request;
  if (TryReadLine(line)) return absl::OkStatus();
  absl::StatusOr<RequestLine> exact = RequestLine::Read(line);
  if (!exact.ok()) {
    Reset(facts);
    return exact.status();
  }
  storage.line = *std::move(exact);
  storage.request = storage.line->request();
  storage.request.limit_totals = limit_totals_or_null;
  ReadExactly(storage.request, facts);
  return absl::OkStatus();
}

bool FactsReader::TryReadLine(absl::string_view line) {
  if (!cursor_.Start(line, &facts_->storage->buffer) || !ReadLineMembers() ||
      !cursor_.IsAtEnd()) {
    return false;
  }
  if (!is_type_resolved_) ResolveType();
  if (payload_place_ == nullptr) {
    ResolveTenant();
    if (!is_payload_read_ && !CompletePayload()) return false;
  } else {
    ResolveTenant();
    cursor_.set_place(payload_place_);
    if (!ReadPayload()) return false;
  }
  Finish();
  return true;
}

bool FactsReader::ReadLineMembers() {
  uint32_t seen = 0;
  const auto read = [this](const MemberKey& key) -> uint32_t {
    if (key == kIntent) return ReadIntent() ? 1 : 0;
    if (key == kAgent) return ReadAgent() ? 2 : 0;
    if (key == kTenant) return ReadTenant() ? 4 : 0;
    if (key == kBudget) return ReadBudget() ? 8 : 0;
    if (key == kNow) return ReadTime(&line_request_->now) ? 16 : 0;
    return 0;
  };
  return ReadObject(cursor_, &seen, read) && (seen & 1) != 0;
}

bool FactsReader::ReadIntent() {
  IntentFacts& facts = line_request_->intent;
  uint32_t seen = 0;
  const auto read = [this, &facts, &seen](const MemberKey& key) -> uint32_t {
    if (key == kType) return cursor_.TakeString(&facts.type) ? 1 : 0;
    if (key == kPayload) return ReadLinePayload((seen & 1) != 0) ? 2 : 0;
    if (key == kSpend) {
      // A negative one is a violation.
      return cursor_.TakeNumber(kUsdDecimals, Decimals::kExact,
                                &facts.spend_micros_usd) &&
                     facts.spend_micros_usd >= 0
                 ? 4
                 : 0;
    }
    if (key == kDataClass) return ReadDataClass() ? 8 : 0;
    if (key == kId) return cursor_.TakeString(&facts.id) ? 16 : 0;
    if (key == kRequestedBy) {
      return cursor_.TakeString(&facts.requested_by) ? 32 : 0;
    }
    if (key == kCreatedAt) return ReadTime(&facts.created_at) ? 64 : 0;
    return 0;
  };
  return ReadObject(cursor_, &seen, read) && (seen & 1) != 0;
}

bool FactsReader::ReadLinePayload(bool has_type) {
  if (cursor_.Peek() != '{') return false;
  const char* const begin = cursor_.here();
  if (has_type && !is_type_resolved_) ResolveType();
  if (is_type_resolved_ && (is_platform_type_ || !has_tenant_types_)) {
    if (!ReadPayload()) return false;
    is_payload_read_ = true;
  } else {
    payload_place_ = cursor_.place();
    if (!cursor_.LeapOver()) return false;
  }
  line_request_->intent.payload = absl::string_view(
      begin, static_cast<size_t>(cursor_.before() + 1 - begin));
  return true;
}

bool FactsReader::ReadDataClass() {
  absl::string_view name;
  if (!cursor_.TakeString(&name)) return false;
  const std::optional<DataClass> data_class = DataClassFromName(name);
  line_request_->intent.data_class = data_class.value_or(DataClass::kNone);
  return data_class.has_value();
}

bool FactsReader::ReadTime(absl::Time* time) {
  absl::string_view text;
  if (!cursor_.TakeString(&text)) return false;
  const std::optional<int64_t> micros = ReadTimestamp(text);
  *time = absl::FromUnixMicros(micros.value_or(0));
  return micros.has_value();
}

bool FactsReader::ReadAgent() {
  AgentFacts& facts = line_request_->agent;
  facts.known = true;
  uint32_t seen = 0;
  return ReadObject(
      cursor_, &seen, [this, &facts](const MemberKey& key) -> uint32_t {
        if (key == kName) return cursor_.TakeString(&facts.name) ? 1 : 0;
        if (key == kId) return cursor_.TakeString(&facts.id) ? 2 : 0;
        if (key == kRole) return cursor_.TakeString(&facts.role) ? 4 : 0;
        if (key == kStatus) return cursor_.TakeString(&facts.status) ? 8 : 0;
        if (key == kTier) {
          return cursor_.TakeNumber(0, Decimals::kExact, &facts.tier) ? 16 : 0;
        }
        if (key == kLabels) return ReadTexts(&facts.labels) ? 32 : 0;
        if (key == kKnown) return cursor_.TakeBool(&facts.known) ? 64 : 0;
        return 0;
      });
}

bool FactsReader::ReadTenant() {
  TenantFacts& facts = line_request_->tenant;
  uint32_t seen = 0;
  return ReadObject(cursor_, &seen,
                    [this, &facts](const MemberKey& key) -> uint32_t {
                      if (key == kSlug)
                        return cursor_.TakeString(&facts.slug) ? 1 : 0;
                      if (key == kId)
                        return cursor_.TakeString(&facts.id) ? 2 : 0;
                      if (key == kConnected)
                        return ReadTexts(&facts.connected) ? 4 : 0;
                      if (key == kSeat) {
                        absl::string_view name;
                        if (!cursor_.TakeString(&name)) return 0;
                        const std::optional<Seat> seat = SeatFromName(name);
                        facts.seat = seat.value_or(Seat::kFreeBeta);
                        return seat.has_value() ? 8 : 0;
                      }
                      return 0;
                    });
}

bool FactsReader::ReadBudget() {
  BudgetFacts& facts = line_request_->budget;
  facts.exists = true;
  uint32_t seen = 0;
  const auto take_usd = [this](int64_t* micros) {
    return cursor_.TakeNumber(kUsdDecimals, Decimals::kExact, micros);
  };
  return ReadObject(cursor_, &seen, [&](const MemberKey& key) -> uint32_t {
    if (key == kRemaining) {
      return take_usd(&facts.remaining_micros_usd) ? 1 : 0;
    }
    if (key == kLimit) return take_usd(&facts.limit_micros_usd) ? 2 : 0;
    if (key == kExists) return cursor_.TakeBool(&facts.exists) ? 4 : 0;
    return 0;
  });
}

bool FactsReader::ReadTexts(std::vector<absl::string_view>* texts) {
  if (!cursor_.TakeMark('[')) return false;
  bool is_closed = cursor_.TakeMark(']');
  while (!is_closed) {
    absl::string_view text;
    if (!cursor_.TakeString(&text) || !cursor_.TakeNext(']', &is_closed)) {
      return false;
    }
    texts->push_back(text);
  }
  return true;
}

}  // namespace sgl
