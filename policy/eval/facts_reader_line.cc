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
constexpr MemberKey kNone = Name("NONE");
constexpr MemberKey kPii = Name("PII");
constexpr MemberKey kPhi = Name("PHI");
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
void Clear(Request &request) {
  request.intent = {};
  AgentFacts &agent = request.agent;
  agent.known = false;
  agent.id = agent.name = agent.role = agent.status = {};
  agent.tier = 0;
  agent.labels.clear();
  TenantFacts &tenant = request.tenant;
  tenant.id = tenant.slug = {};
  tenant.seat = Seat::kFreeBeta;
  tenant.connected.clear();
  request.budget = {};
  request.now = absl::UnixEpoch();
  request.violations.clear();
}

// Reads an object's members: `read` is given each key and the place of its
// value; it returns the place behind, and sets the bit of a key that it knows.
// No bit comes twice.
template <typename ReadMember>
JsonPlace ReadObject(JsonTokens &tokens, JsonPlace at, uint32_t *seen,
                     ReadMember read) {
  if (tokens.Peek(at) != '{') return nullptr;
  ++at;
  bool is_closed = tokens.Peek(at) == '}';
  if (is_closed) ++at;
  while (!is_closed) {
    MemberKey key;
    at = tokens.TakeKey(at, &key);
    if (at == nullptr) return nullptr;
    uint32_t bit = 0;
    at = read(at, key, &bit);
    if (at == nullptr || (*seen & bit) != 0) return nullptr;
    *seen |= bit;
    at = tokens.TakeNext(at, '}', &is_closed);
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace

absl::Status FactsReader::ReadLine(absl::string_view line,
                                   const LimitTotals *limit_totals_or_null,
                                   Facts *facts) {
  Reset(facts);
  FactsStorage &storage = *facts->storage;
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
  JsonPlace at = tokens_.Start(line, &facts_->storage->buffer);
  if (at != nullptr) at = ReadLineMembers(at);
  if (at == nullptr || !tokens_.IsAtEnd(at)) return false;
  if (!is_type_resolved_) ResolveType();
  ResolveTenant();
  if (payload_place_ != nullptr) {
    if (ReadPayload(payload_place_) == nullptr) return false;
  } else if (!is_payload_read_ && !CompletePayload()) {
    return false;
  }
  Finish();
  return true;
}

JsonPlace FactsReader::ReadLineMembers(JsonPlace at) {
  uint32_t seen = 0;
  at = ReadObject(tokens_, at, &seen,
                  [this](JsonPlace value, const MemberKey &key, uint32_t *bit) {
                    if (key == kIntent) return *bit = 1, ReadIntent(value);
                    if (key == kAgent) return *bit = 2, ReadAgent(value);
                    if (key == kTenant) return *bit = 4, ReadTenant(value);
                    if (key == kBudget) return *bit = 8, ReadBudget(value);
                    if (key == kNow) {
                      return *bit = 16, ReadTime(value, &line_request_->now);
                    }
                    return JsonPlace{nullptr};
                  });
  return (seen & 1) != 0 ? at : nullptr;
}

JsonPlace FactsReader::ReadIntent(JsonPlace at) {
  IntentFacts &facts = line_request_->intent;
  uint32_t seen = 0;
  at = ReadObject(
      tokens_, at, &seen,
      [&](JsonPlace value, const MemberKey &key, uint32_t *bit) {
        if (key == kType)
          return *bit = 1, tokens_.TakeString(value, &facts.type);
        if (key == kPayload) {
          return *bit = 2, ReadLinePayload(value, (seen & 1) != 0);
        }
        if (key == kSpend) {
          return *bit = 4,
                 tokens_.TakeNumber(value, kUsdDecimals, Decimals::kExact,
                                    &facts.spend_micros_usd);
        }
        if (key == kDataClass) return *bit = 8, ReadDataClass(value);
        if (key == kId) return *bit = 16, tokens_.TakeString(value, &facts.id);
        if (key == kRequestedBy) {
          return *bit = 32, tokens_.TakeString(value, &facts.requested_by);
        }
        if (key == kCreatedAt) {
          return *bit = 64, ReadTime(value, &facts.created_at);
        }
        return JsonPlace{nullptr};
      });
  // A negative spend is a violation.
  return (seen & 1) != 0 && facts.spend_micros_usd >= 0 ? at : nullptr;
}

JsonPlace FactsReader::ReadLinePayload(JsonPlace at, bool has_type) {
  if (tokens_.Peek(at) != '{') return nullptr;
  const char *const begin = tokens_.TextAt(at);
  if (has_type && !is_type_resolved_) ResolveType();
  if (is_type_resolved_ && (is_platform_type_ || !has_tenant_types_)) {
    at = ReadPayload(at);
    is_payload_read_ = true;
  } else {
    payload_place_ = at;
    at = tokens_.LeapOver(at);
  }
  if (at == nullptr) return nullptr;
  line_request_->intent.payload = absl::string_view(
      begin, static_cast<size_t>(tokens_.TextAt(at - 1) + 1 - begin));
  return at;
}

JsonPlace FactsReader::ReadDataClass(JsonPlace at) {
  absl::string_view name;
  at = tokens_.TakeString(at, &name);
  if (at == nullptr) return nullptr;
  const MemberKey key = MakeMemberKey(name.data(), name.size());
  DataClass &data_class = line_request_->intent.data_class;
  if (key == kPhi) {
    data_class = DataClass::kPhi;
  } else if (key == kPii) {
    data_class = DataClass::kPii;
  } else if (!(key == kNone)) {
    return nullptr;
  }
  return at;
}

JsonPlace FactsReader::ReadTime(JsonPlace at, absl::Time *time) {
  absl::string_view text;
  at = tokens_.TakeString(at, &text);
  if (at == nullptr) return nullptr;
  const std::optional<int64_t> micros = ReadTimestamp(text);
  *time = absl::FromUnixMicros(micros.value_or(0));
  return micros.has_value() ? at : nullptr;
}

JsonPlace FactsReader::ReadAgent(JsonPlace at) {
  AgentFacts &facts = line_request_->agent;
  facts.known = true;
  uint32_t seen = 0;
  return ReadObject(
      tokens_, at, &seen,
      [&](JsonPlace value, const MemberKey &key, uint32_t *bit) {
        if (key == kName)
          return *bit = 1, tokens_.TakeString(value, &facts.name);
        if (key == kId) return *bit = 2, tokens_.TakeString(value, &facts.id);
        if (key == kRole)
          return *bit = 4, tokens_.TakeString(value, &facts.role);
        if (key == kStatus) {
          return *bit = 8, tokens_.TakeString(value, &facts.status);
        }
        if (key == kTier) {
          return *bit = 16,
                 tokens_.TakeNumber(value, 0, Decimals::kExact, &facts.tier);
        }
        if (key == kLabels) return *bit = 32, ReadTexts(value, &facts.labels);
        if (key == kKnown)
          return *bit = 64, tokens_.TakeBool(value, &facts.known);
        return JsonPlace{nullptr};
      });
}

JsonPlace FactsReader::ReadTenant(JsonPlace at) {
  TenantFacts &facts = line_request_->tenant;
  uint32_t seen = 0;
  return ReadObject(tokens_, at, &seen,
                    [&](JsonPlace value, const MemberKey &key, uint32_t *bit) {
                      if (key == kSlug)
                        return *bit = 1, tokens_.TakeString(value, &facts.slug);
                      if (key == kId)
                        return *bit = 2, tokens_.TakeString(value, &facts.id);
                      if (key == kConnected) {
                        return *bit = 4, ReadTexts(value, &facts.connected);
                      }
                      if (key == kSeat) {
                        absl::string_view name;
                        const JsonPlace behind =
                            tokens_.TakeString(value, &name);
                        const std::optional<Seat> seat = SeatFromName(name);
                        facts.seat = seat.value_or(Seat::kFreeBeta);
                        *bit = 8;
                        return seat.has_value() ? behind : nullptr;
                      }
                      return JsonPlace{nullptr};
                    });
}

JsonPlace FactsReader::ReadBudget(JsonPlace at) {
  BudgetFacts &facts = line_request_->budget;
  facts.exists = true;
  uint32_t seen = 0;
  const auto take_usd = [this](JsonPlace value, int64_t *micros) {
    return tokens_.TakeNumber(value, kUsdDecimals, Decimals::kExact, micros);
  };
  return ReadObject(
      tokens_, at, &seen,
      [&](JsonPlace value, const MemberKey &key, uint32_t *bit) {
        if (key == kRemaining) {
          return *bit = 1, take_usd(value, &facts.remaining_micros_usd);
        }
        if (key == kLimit) {
          return *bit = 2, take_usd(value, &facts.limit_micros_usd);
        }
        if (key == kExists) {
          return *bit = 4, tokens_.TakeBool(value, &facts.exists);
        }
        return JsonPlace{nullptr};
      });
}

JsonPlace FactsReader::ReadTexts(JsonPlace at,
                                 std::vector<absl::string_view> *texts) {
  if (tokens_.Peek(at) != '[') return nullptr;
  ++at;
  bool is_closed = tokens_.Peek(at) == ']';
  if (is_closed) ++at;
  while (!is_closed) {
    absl::string_view text;
    at = tokens_.TakeString(at, &text);
    if (at == nullptr) return nullptr;
    texts->push_back(text);
    at = tokens_.TakeNext(at, ']', &is_closed);
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace sgl
