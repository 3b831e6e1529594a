#include "engine/recorded_decision.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <simdjson.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
namespace dom = simdjson::dom;

constexpr int64_t kMicrosPerDollar = 1'000'000;

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

absl::Status NotRecorded(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, ", so this decision can't be replayed"));
}

std::optional<DecisionKind> KindFromName(absl::string_view name) {
  for (const DecisionKind kind :
       {DecisionKind::kAllow, DecisionKind::kReview, DecisionKind::kBlock}) {
    if (name == DecisionKindName(kind)) return kind;
  }
  return std::nullopt;
}

// Whole digits of `count` places at `at`; -1 where there are others.
int Digits(absl::string_view text, size_t at, size_t count) {
  int number = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!absl::ascii_isdigit(text[i])) return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

// Reads what TimeText writes; absl's reader takes longer than a decision does.
std::optional<absl::Time> ReadTime(absl::string_view text) {
  constexpr size_t kSize = 27;  // 2026-03-01T09:00:00.000000Z
  if (text.size() == kSize && text.back() == 'Z') {
    const int micros = Digits(text, 20, 6);
    const absl::CivilSecond second(Digits(text, 0, 4), Digits(text, 5, 2),
                                   Digits(text, 8, 2), Digits(text, 11, 2),
                                   Digits(text, 14, 2), Digits(text, 17, 2));
    if (micros >= 0) {
      return absl::FromCivil(second, absl::UTCTimeZone()) +
             absl::Microseconds(micros);
    }
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return std::nullopt;
  }
  return time;
}

}  // namespace

struct RecordedDecisionReader::Parser {
  dom::parser json;
};

// The totals that a recorded decision was made by.
class RecordedDecisionReader::Totals : public LimitTotals {
 public:
  explicit Totals(const RecordedDecision* recorded) : recorded_(*recorded) {}

  std::optional<int64_t> Total(const LimitDraw& draw,
                               absl::Time now) const override {
    // Another time is none that was asked for.
    if (now != recorded_.request.now) return std::nullopt;
    for (const RecordedDecision::LimitFact& fact : recorded_.limits) {
      if (fact.layer == draw.layer && fact.code == draw.code &&
          fact.scope == LimitScopeName(draw.scope) &&
          fact.window_micros == absl::ToInt64Microseconds(draw.window) &&
          fact.is_spend == draw.is_spend && fact.subject == draw.subject) {
        return fact.counted;
      }
    }
    return 0;
  }

 private:
  const RecordedDecision& recorded_;
};

// Walks one meta. What is not as it was written is a fault of the whole: a
// fact must not be guessed.
class RecordedDecisionReader::Walker {
 public:
  explicit Walker(RecordedDecision* out) : out_(*out) {}

  bool ReadMeta(dom::object meta);
  bool has_digests() const { return has_digests_; }
  bool has_facts() const { return has_facts_; }

 private:
  // Each notes a fault where the value is of another kind.
  absl::string_view Text(dom::element element);
  int64_t Int(dom::element element);
  bool Bool(dom::element element);
  absl::Time Time(dom::element element);
  void Texts(dom::element element, std::vector<absl::string_view>* texts);
  template <typename ReadMember>
  void ForEach(dom::element object, ReadMember read);
  template <typename ReadItem>
  void ForEachItem(dom::element array, ReadItem read);

  void ReadReasons(dom::element reasons);
  void ReadDemands(dom::element demands);
  void ReadWithin(absl::string_view within);
  void ReadFacts(dom::element facts);
  void ReadBudget(dom::element budget);
  void ReadIntent(dom::element intent);
  void ReadAgent(dom::element agent);
  void ReadTenant(dom::element tenant);
  void ReadLimit(dom::element limit);

  RecordedDecision& out_;
  bool has_digests_ = false;
  bool has_facts_ = false;
  bool is_good_ = true;
};

absl::string_view RecordedDecisionReader::Walker::Text(dom::element element) {
  const char* text = nullptr;
  size_t size = 0;
  is_good_ &= element.get_c_str().get(text) == simdjson::SUCCESS;
  is_good_ &= element.get_string_length().get(size) == simdjson::SUCCESS;
  return is_good_ ? absl::string_view(text, size) : absl::string_view();
}

int64_t RecordedDecisionReader::Walker::Int(dom::element element) {
  int64_t number = 0;
  is_good_ &= element.get_int64().get(number) == simdjson::SUCCESS;
  return number;
}

bool RecordedDecisionReader::Walker::Bool(dom::element element) {
  bool value = false;
  is_good_ &= element.get_bool().get(value) == simdjson::SUCCESS;
  return value;
}

absl::Time RecordedDecisionReader::Walker::Time(dom::element element) {
  const std::optional<absl::Time> time = ReadTime(Text(element));
  is_good_ &= time.has_value();
  return time.value_or(absl::UnixEpoch());
}

template <typename ReadMember>
void RecordedDecisionReader::Walker::ForEach(dom::element object,
                                             ReadMember read) {
  dom::object members;
  if (object.get_object().get(members) != simdjson::SUCCESS) {
    is_good_ = false;
    return;
  }
  for (const dom::key_value_pair& member : members) {
    read(absl::string_view(member.key.data(), member.key.size()), member.value);
  }
}

template <typename ReadItem>
void RecordedDecisionReader::Walker::ForEachItem(dom::element array,
                                                 ReadItem read) {
  dom::array items;
  if (array.get_array().get(items) != simdjson::SUCCESS) {
    is_good_ = false;
    return;
  }
  for (const dom::element item : items) read(item);
}

void RecordedDecisionReader::Walker::Texts(
    dom::element element, std::vector<absl::string_view>* texts) {
  ForEachItem(element,
              [&](dom::element item) { texts->push_back(Text(item)); });
}

bool RecordedDecisionReader::Walker::ReadMeta(dom::object meta) {
  for (const dom::key_value_pair& member : meta) {
    const absl::string_view key(member.key.data(), member.key.size());
    const dom::element value = member.value;
    if (key == "decision") {
      const std::optional<DecisionKind> kind = KindFromName(Text(value));
      is_good_ &= kind.has_value();
      out_.kind = kind.value_or(DecisionKind::kBlock);
    } else if (key == "reasons") {
      ReadReasons(value);
    } else if (key == "risk") {
      out_.risk = Int(value);
    } else if (key == "demands") {
      ReadDemands(value);
    } else if (key == "within") {
      ReadWithin(Text(value));
    } else if (key == "policy_digest") {
      out_.policy_digest = Text(value);
    } else if (key == "platform_digest") {
      out_.platform_digest = Text(value);
      has_digests_ = true;
    } else if (key == "layer_digest") {
      out_.layer_digest = Text(value);
    } else if (key == "revision") {
      out_.revision = static_cast<int32_t>(Int(value));
    } else if (key == "payload_sha256") {
      out_.payload_sha256 = Text(value);
    } else if (key == "facts") {
      ReadFacts(value);
      has_facts_ = true;
    }
  }
  return is_good_;
}

void RecordedDecisionReader::Walker::ReadReasons(dom::element reasons) {
  ForEachItem(reasons, [&](dom::element item) {
    RecordedDecision::Rule& rule = out_.rules.emplace_back();
    ForEach(item, [&](absl::string_view key, dom::element value) {
      if (key == "code") rule.code = Text(value);
      if (key == "layer") rule.layer = Text(value);
    });
  });
}

void RecordedDecisionReader::Walker::ReadDemands(dom::element demands) {
  ForEachItem(demands, [&](dom::element item) {
    ApprovalDemand& demand = out_.demands.emplace_back();
    ForEach(item, [&](absl::string_view key, dom::element value) {
      if (key == "count") demand.count = Int(value);
      if (key != "roles") return;
      ForEachItem(value, [&](dom::element role) {
        demand.roles.emplace_back(Text(role));
      });
    });
  });
}

void RecordedDecisionReader::Walker::ReadWithin(absl::string_view within) {
  if (within.empty()) return;
  absl::Duration duration;
  is_good_ &= absl::ParseDuration(within, &duration);
  out_.within = duration;
}

void RecordedDecisionReader::Walker::ReadFacts(dom::element facts) {
  Request& request = out_.request;
  ForEach(facts, [&](absl::string_view key, dom::element value) {
    if (key == "now") {
      request.now = Time(value);
    } else if (key == "intent") {
      ReadIntent(value);
    } else if (key == "agent") {
      ReadAgent(value);
    } else if (key == "tenant") {
      ReadTenant(value);
    } else if (key == "integrations") {
      Texts(value, &request.tenant.connected);
    } else if (key == "budget") {
      ReadBudget(value);
    } else if (key == "limits") {
      ForEachItem(value, [&](dom::element item) { ReadLimit(item); });
    } else if (key == "violations") {
      ForEachItem(value, [&](dom::element item) {
        FieldViolation& violation = request.violations.emplace_back();
        ForEach(item, [&](absl::string_view name, dom::element text) {
          if (name == "path") violation.path = std::string(Text(text));
          if (name == "message") violation.message = std::string(Text(text));
        });
      });
    }
  });
}

void RecordedDecisionReader::Walker::ReadBudget(dom::element budget) {
  BudgetFacts& facts = out_.request.budget;
  bool is_held = false;
  ForEach(budget, [&](absl::string_view key, dom::element value) {
    if (key == "exists") {
      facts.exists = Bool(value);
    } else if (key == "remaining_micros_usd") {
      facts.remaining_micros_usd = Int(value);
      is_held = true;
    } else if (key == "limit_micros_usd") {
      facts.limit_micros_usd = Int(value);
    }
  });
  // A budget of which it isn't known what it held can't be decided by again.
  is_good_ &= is_held == facts.exists;
}

void RecordedDecisionReader::Walker::ReadIntent(dom::element intent) {
  IntentFacts& facts = out_.request.intent;
  ForEach(intent, [&](absl::string_view key, dom::element value) {
    if (key == "type") {
      facts.type = Text(value);
    } else if (key == "spend_micros_usd") {
      facts.spend_micros_usd = Int(value);
    } else if (key == "data_class") {
      const std::optional<DataClass> found = DataClassFromName(Text(value));
      is_good_ &= found.has_value();
      facts.data_class = found.value_or(DataClass::kNone);
    } else if (key == "requested_by") {
      facts.requested_by = Text(value);
    } else if (key == "created_at") {
      facts.created_at = Time(value);
    }
  });
}

void RecordedDecisionReader::Walker::ReadAgent(dom::element agent) {
  AgentFacts& facts = out_.request.agent;
  ForEach(agent, [&](absl::string_view key, dom::element value) {
    if (key == "known") {
      facts.known = Bool(value);
    } else if (key == "id") {
      facts.id = Text(value);
    } else if (key == "name") {
      facts.name = Text(value);
    } else if (key == "role") {
      facts.role = Text(value);
    } else if (key == "status") {
      facts.status = Text(value);
    } else if (key == "tier") {
      facts.tier = Int(value);
    } else if (key == "labels") {
      Texts(value, &facts.labels);
    }
  });
}

void RecordedDecisionReader::Walker::ReadTenant(dom::element tenant) {
  TenantFacts& facts = out_.request.tenant;
  ForEach(tenant, [&](absl::string_view key, dom::element value) {
    if (key == "id") {
      facts.id = Text(value);
    } else if (key == "slug") {
      facts.slug = Text(value);
    } else if (key == "seat") {
      const std::optional<Seat> seat = SeatFromName(Text(value));
      is_good_ &= seat.has_value();
      facts.seat = seat.value_or(Seat::kFreeBeta);
    }
  });
}

void RecordedDecisionReader::Walker::ReadLimit(dom::element limit) {
  RecordedDecision::LimitFact& fact = out_.limits.emplace_back();
  ForEach(limit, [&](absl::string_view key, dom::element value) {
    if (key == "layer") {
      fact.layer = Text(value);
    } else if (key == "code") {
      fact.code = Text(value);
    } else if (key == "per") {
      fact.scope = Text(value);
    } else if (key == "window_micros") {
      fact.window_micros = Int(value);
    } else if (key == "spend") {
      fact.is_spend = Bool(value);
    } else if (key == "subject") {
      fact.subject = Text(value);
    } else if (key == "counted" && !value.is_null()) {
      fact.counted = Int(value);
    }
  });
}

RecordedDecisionReader::RecordedDecisionReader()
    : parser_(std::make_unique<Parser>()),
      totals_(std::make_unique<Totals>(&recorded_)) {}
RecordedDecisionReader::~RecordedDecisionReader() = default;

absl::StatusOr<const RecordedDecision*> RecordedDecisionReader::Read(
    const DecisionText& text) {
  recorded_ = {};
  dom::object meta;
  if (parser_->json.parse(text.meta.data(), text.meta.size())
          .get_object()
          .get(meta) != simdjson::SUCCESS) {
    return NotRecorded("its audit entry can't be read");
  }
  Walker walker(&recorded_);
  const bool is_good = walker.ReadMeta(meta);
  if (!walker.has_digests() || !walker.has_facts()) {
    return NotRecorded(
        "it was recorded before decisions kept all that the rules read");
  }
  if (!is_good) {
    return NotRecorded("its audit entry is not as the engine writes it");
  }
  if (text.payload.empty()) {
    return NotRecorded(absl::StrCat("the payload of revision ",
                                    recorded_.revision, " is not there"));
  }
  recorded_.request.limit_totals = totals_.get();
  IntentFacts& intent = recorded_.request.intent;
  intent.id = text.intent_id;
  const absl::string_view payload =
      absl::StripLeadingAsciiWhitespace(text.payload);
  // As it was decided: a list or bare value counts as no payload, beside a
  // violation that says so.
  intent.payload = payload.front() == '{' ? text.payload : "{}";
  return &recorded_;
}

absl::StatusOr<Decision> DecisionOfMeta(absl::string_view meta) {
  const absl::Status unreadable =
      NotRecorded("its audit entry is not as the engine writes it");
  const ordered_json json =
      ordered_json::parse(meta.begin(), meta.end(), nullptr, false);
  if (!json.is_object()) return unreadable;
  for (const char* key :
       {"decision", "reasons", "risk", "demands", "policy_digest", "tzdata"}) {
    if (!json.contains(key)) return unreadable;
  }
  const ordered_json line = {{"decision", json["decision"]},
                             {"reasons", json["reasons"]},
                             {"risk", json["risk"]},
                             {"approvals", json["demands"]},
                             {"policy", json["policy_digest"]},
                             {"tzdata", json["tzdata"]}};
  absl::StatusOr<Decision> decision = DecisionFromJson(line.dump());
  if (!decision.ok()) return unreadable;
  const auto within = json.find("within");
  if (within == json.end() || !within->is_string()) return decision;
  absl::Duration duration;
  const std::string text = within->get<std::string>();
  if (text.empty()) return decision;
  if (!absl::ParseDuration(text, &duration)) return unreadable;
  decision->within = duration;
  return decision;
}

namespace {

// Dollars as a JSON number, exact.
std::string UsdNumber(int64_t micros) {
  const bool is_negative = micros < 0;
  const uint64_t size = is_negative ? -static_cast<uint64_t>(micros)
                                    : static_cast<uint64_t>(micros);
  return absl::StrFormat("%s%d.%06d", is_negative ? "-" : "",
                         size / kMicrosPerDollar, size % kMicrosPerDollar);
}

// The line's member, with its comma; nothing where there is no budget.
std::string BudgetMember(const BudgetFacts& budget) {
  if (!budget.exists) return "";
  return absl::StrCat(
      R"(,"budget":{"remaining_usd":)", UsdNumber(budget.remaining_micros_usd),
      R"(,"limit_usd":)", UsdNumber(budget.limit_micros_usd), "}");
}

}  // namespace

std::string RequestLineOf(const RecordedDecision& recorded) {
  const Request& request = recorded.request;
  if (!request.violations.empty()) return "";
  for (const RecordedDecision::LimitFact& limit : recorded.limits) {
    if (limit.counted != 0) return "";
  }
  const auto text = [](absl::string_view view) { return std::string(view); };
  const auto dump = [](const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  };
  const auto texts = [](const std::vector<absl::string_view>& views) {
    return std::vector<std::string>(views.begin(), views.end());
  };
  const IntentFacts& intent = request.intent;
  const ordered_json agent = {{"known", request.agent.known},
                              {"id", text(request.agent.id)},
                              {"name", text(request.agent.name)},
                              {"role", text(request.agent.role)},
                              {"status", text(request.agent.status)},
                              {"tier", request.agent.tier},
                              {"labels", texts(request.agent.labels)}};
  const ordered_json tenant = {{"id", text(request.tenant.id)},
                               {"slug", text(request.tenant.slug)},
                               {"seat", text(SeatName(request.tenant.seat))},
                               {"connected", texts(request.tenant.connected)}};
  const ordered_json intent_json = {
      {"id", text(intent.id)},
      {"type", text(intent.type)},
      {"requested_by", text(intent.requested_by)},
      {"data_class", text(DataClassName(intent.data_class))},
      {"created_at", TimeText(intent.created_at)}};
  std::string intent_line = dump(intent_json);
  intent_line.pop_back();
  // As submitted, but on one line: a raw line break is no part of a string.
  std::string payload(intent.payload);
  for (char& c : payload) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  absl::StrAppend(&intent_line,
                  ",\"spend_usd\":", UsdNumber(intent.spend_micros_usd),
                  ",\"payload\":", payload, "}");
  return absl::StrCat("{\"intent\":", intent_line, ",\"agent\":", dump(agent),
                      ",\"tenant\":", dump(tenant),
                      BudgetMember(request.budget), ",\"now\":\"",
                      TimeText(request.now), "\"}");
}

}  // namespace sgl::engine
