#include "tests/differential/request_generator.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

namespace sgl::tests {
namespace {

using Texts = std::vector<std::string>;

std::string Quote(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (absl::ascii_iscntrl(c)) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<int>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

const Texts& Numbers(Kind kind) {
  static const auto* const kInts =
      new Texts{"0",   "1",    "2",     "3",      "5",
                "10",  "250",  "-1",    "2.0",    "50e-1",
                "-0",  "-3.0", "0.1e1", "25e+1",  "9223372036854775807",
                "1E0", "4",    "300",   "0.3E+1", "-9223372036854775808"};
  static const auto* const kUsd = new Texts{"0",
                                            "250",
                                            "249.999999",
                                            "0.05",
                                            "5.0000000",
                                            "1000",
                                            "3",
                                            "-5",
                                            "1e3",
                                            "2.5e2",
                                            "9223372036854.775807",
                                            "0.000001",
                                            "0.000003",
                                            "-0.0",
                                            "1e-6",
                                            "12.340000",
                                            "-9223372036854.775808"};
  static const auto* const kDecimals = new Texts{"0",
                                                 "0.5",
                                                 "0.6",
                                                 "0.59999999999999998",
                                                 "1",
                                                 "1.5",
                                                 "2.50",
                                                 "0.0000000005",
                                                 "0.0000000015",
                                                 "-0.5",
                                                 "1e-9",
                                                 "1e-400",
                                                 "0.30000000000000004",
                                                 "9223372036.8547758074",
                                                 "-9223372036.8547758085",
                                                 "100000.25"};
  if (kind == Kind::kInt) return *kInts;
  return kind == Kind::kUsd ? *kUsd : *kDecimals;
}

// Values that fit no declared type, or only by accident.
const Texts& OddValues() {
  static const auto* const kOdd = new Texts{"null",
                                            "NaN",
                                            "1e400",
                                            "-1e400",
                                            "\"5000\"",
                                            "\"\"",
                                            "[]",
                                            "{}",
                                            "true",
                                            "0.5",
                                            "0.0000001",
                                            "9223372036854775808",
                                            "1e19",
                                            "[null]",
                                            "[[1]]",
                                            "{\"a\":1,\"a\":2}",
                                            "-1",
                                            "{\"x\":NaN}",
                                            "\"2026-02-29T00:00:00Z\"",
                                            "\"01h\"",
                                            "1e99999999999999999999",
                                            "\"Low\"",
                                            "\"-5m\"",
                                            "\"1970-01-01T00:00:60Z\"",
                                            "\"1969-12-31 00:00:00Z\""};
  return *kOdd;
}

class RequestGenerator {
 public:
  RequestGenerator(Random& random, const Schema& schema)
      : random_(random), schema_(schema) {}

  std::string Run() {
    // A third of the requests have something odd, most of them once or twice.
    odd_percent_ = random_.Chance(67) ? 0 : random_.Between(1, 12);
    std::string line = Line();
    if (random_.Chance(1)) line = Broken(line);
    return line;
  }

 private:
  bool IsOdd() { return odd_percent_ > 0 && random_.Chance(odd_percent_); }

  std::string Line();
  std::string Intent(const std::string& slug);
  std::string Payload(const std::string& slug, const std::string& type);
  void AddFields(const std::vector<NamedType>& fields, Texts* members);
  std::string Value(const SglType& type);
  std::string List(const SglType& element);
  std::string Agent();
  std::string Tenant(const std::string& slug);
  std::string Budget();
  std::string Time();
  std::string Broken(std::string line);

  // `"key":value`, perhaps spaced, perhaps twice.
  void Add(absl::string_view key, std::string value, Texts* members) {
    members->push_back(
        absl::StrCat(Quote(key), random_.Chance(10) ? " : " : ":", value));
    if (IsOdd() && random_.Chance(25)) members->push_back(members->back());
  }
  std::string Text() { return Quote(random_.Pick(TextPool())); }
  std::string OneOf(const Texts& texts) { return Quote(random_.Pick(texts)); }
  std::string Object(const Texts& members) {
    return absl::StrCat("{", absl::StrJoin(members, ","), "}");
  }

  Random& random_;
  const Schema& schema_;
  int odd_percent_ = 0;
};

std::string RequestGenerator::Time() {
  static const auto* const kTimes = new Texts{
      "2026-03-02T16:00:00Z",        "2026-03-08T08:00:00.5Z",
      "2026-03-08T07:59:59.999999Z", "2026-11-01T06:30:00-00:00",
      "1970-01-01T00:00:00Z",        "2025-12-31T23:59:59.9999990000Z",
      "2024-02-29t12:00:00+05:30",   "0000-01-01T00:00:00Z",
      "9999-12-31T23:59:59-23:59",   "1969-12-31T23:00:00z"};
  return OneOf(*kTimes);
}

std::string RequestGenerator::Value(const SglType& type) {
  if (IsOdd()) return random_.Pick(OddValues());
  if (type.is_optional && random_.Chance(15)) return "null";
  static const auto* const kDurations =
      new Texts{"0s", "1s", "15m", "24h", "7d", "90m", "106751991d"};
  switch (type.kind) {
    case Kind::kBool:
      return random_.Chance(50) ? "true" : "false";
    case Kind::kInt:
    case Kind::kUsd:
    case Kind::kDecimal:
      return random_.Pick(Numbers(type.kind));
    case Kind::kString:
      return Text();
    case Kind::kSymbol:
      return random_.Chance(80) ? OneOf(SymbolPool()) : Text();
    case Kind::kTimestamp:
      return Time();
    case Kind::kDuration:
      return OneOf(*kDurations);
    case Kind::kEnum:
      return OneOf(type.members);
    case Kind::kList:
      return List(*type.element);
    case Kind::kRecord: {
      Texts members;
      AddFields(type.fields, &members);
      return Object(members);
    }
  }
  return "null";
}

std::string RequestGenerator::List(const SglType& element) {
  Texts items;
  int count = random_.Between(0, 4);
  // Around the bound of what a list may hold.
  if (odd_percent_ > 0 && random_.Below(2'000) == 0) {
    const std::string item = Value(element);
    items.assign(static_cast<size_t>(random_.Between(9'999, 10'001)), item);
    count = 0;
  }
  for (; count > 0; --count) items.push_back(Value(element));
  return absl::StrCat("[", absl::StrJoin(items, ","), "]");
}

void RequestGenerator::AddFields(const std::vector<NamedType>& fields,
                                 Texts* members) {
  for (const NamedType& field : fields) {
    if (field.type.is_optional && random_.Chance(35)) continue;
    if (!field.type.is_optional && IsOdd() && random_.Chance(30)) continue;
    Add(field.name, Value(field.type), members);
  }
}

std::string RequestGenerator::Payload(const std::string& slug,
                                      const std::string& type) {
  Texts members;
  AddFields(schema_.star, &members);
  const auto platform = schema_.platform_types.find(type);
  if (platform != schema_.platform_types.end()) {
    AddFields(platform->second, &members);
  }
  const auto tenant = schema_.tenants.find(slug);
  if (tenant != schema_.tenants.end()) {
    const auto own = tenant->second.find(type);
    if (own != tenant->second.end()) AddFields(own->second, &members);
  }
  // Undeclared fields are invisible, except to `scan`.
  if (random_.Chance(20)) {
    Add("extra",
        absl::StrCat("{\"a\":[", Text(), ",1e400,null],\"s\":", Text(), "}"),
        &members);
  }
  if (IsOdd()) Add("odd key\n", random_.Pick(OddValues()), &members);
  return Object(members);
}

std::string RequestGenerator::Intent(const std::string& slug) {
  std::vector<std::string> types = {"NOPE"};
  for (const auto& [name, fields] : schema_.platform_types) {
    types.insert(types.end(), 6, name);
  }
  for (const auto& [tenant, own] : schema_.tenants) {
    for (const auto& [name, fields] : own) types.insert(types.end(), 3, name);
  }
  const std::string type = random_.Pick(types);
  Texts members;
  Add("type", Quote(type), &members);
  if (!random_.Chance(4)) Add("payload", Payload(slug, type), &members);
  if (random_.Chance(70)) {
    std::string spend = random_.Pick(Numbers(Kind::kUsd));
    // Most spends are no debts.
    if (spend.front() == '-' && !IsOdd()) spend = "250";
    Add("spend_usd", IsOdd() ? random_.Pick(OddValues()) : spend, &members);
  }
  if (random_.Chance(50)) {
    static const auto* const kClasses = new Texts{"NONE", "PII", "PHI"};
    Add("data_class", IsOdd() ? random_.Pick(OddValues()) : OneOf(*kClasses),
        &members);
  }
  SglType text;
  text.kind = Kind::kString;
  if (random_.Chance(40)) Add("id", Value(text), &members);
  if (random_.Chance(40)) Add("requested_by", Value(text), &members);
  if (random_.Chance(40)) {
    Add("created_at", IsOdd() ? random_.Pick(OddValues()) : Time(), &members);
  }
  return Object(members);
}

std::string RequestGenerator::Agent() {
  Texts members;
  if (random_.Chance(20))
    Add("known", random_.Chance(50) ? "true" : "false", &members);
  for (const char* key : {"id", "name", "role", "status"}) {
    if (random_.Chance(60)) Add(key, Text(), &members);
  }
  if (random_.Chance(60)) {
    Add("tier", random_.Pick(Numbers(Kind::kInt)), &members);
  }
  if (random_.Chance(50)) {
    Texts labels;
    for (int i = random_.Between(0, 3); i > 0; --i) labels.push_back(Text());
    Add("labels", absl::StrCat("[", absl::StrJoin(labels, ","), "]"), &members);
  }
  return Object(members);
}

std::string RequestGenerator::Tenant(const std::string& slug) {
  static const auto* const kSeats =
      new Texts{"free_beta", "starter", "pro", "enterprise"};
  static const auto* const kConnected =
      new Texts{"[]", "[\"google\"]", "[\"m365\",\"google\"]", "[\"other\"]"};
  Texts members;
  Add("slug", Quote(slug), &members);
  if (random_.Chance(40)) Add("id", Text(), &members);
  if (random_.Chance(50)) Add("seat", OneOf(*kSeats), &members);
  if (random_.Chance(50)) Add("connected", random_.Pick(*kConnected), &members);
  return Object(members);
}

std::string RequestGenerator::Budget() {
  Texts members;
  if (random_.Chance(20))
    Add("exists", random_.Chance(50) ? "true" : "false", &members);
  if (random_.Chance(80)) {
    Add("remaining_usd", random_.Pick(Numbers(Kind::kUsd)), &members);
  }
  if (random_.Chance(80)) {
    Add("limit_usd", random_.Pick(Numbers(Kind::kUsd)), &members);
  }
  return Object(members);
}

std::string RequestGenerator::Line() {
  std::vector<std::string> slugs = {"", "other"};
  for (const auto& [slug, types] : schema_.tenants) {
    slugs.insert(slugs.end(), 3, slug);
  }
  const std::string slug = random_.Pick(slugs);
  Texts members;
  Add("intent", Intent(slug), &members);
  // What belongs to no declaration is odd more rarely: it makes an error of
  // the whole line.
  const int odd = odd_percent_;
  odd_percent_ = random_.Chance(5) ? odd : 0;
  if (random_.Chance(85)) Add("agent", Agent(), &members);
  if (!slug.empty()) Add("tenant", Tenant(slug), &members);
  if (random_.Chance(50)) Add("budget", Budget(), &members);
  if (random_.Chance(80)) {
    Add("now", IsOdd() ? random_.Pick(OddValues()) : Time(), &members);
  }
  if (IsOdd()) Add("unknown", "1", &members);
  return Object(members);
}

std::string RequestGenerator::Broken(std::string line) {
  const size_t at = random_.Below(line.size());
  switch (random_.Below(3)) {
    case 0:
      return line.substr(0, at);
    case 1:
      line[at] = static_cast<char>(random_.Below(256));
      return line;
    default:
      return line.erase(at, 1);
  }
}

}  // namespace

std::string GenerateRequestLine(Random& random, const Schema& schema) {
  return RequestGenerator(random, schema).Run();
}

}  // namespace sgl::tests
