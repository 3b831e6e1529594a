#include "tests/differential/schema.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>

#include "base/check.h"

namespace sgl::tests {
namespace {

bool IsWord(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

SglType RandomType(Random& random, int depth) {
  SglType type;
  // Lists and records while there is room for them.
  type.kind = static_cast<Kind>(random.Below(depth > 0 ? 11 : 9));
  if (depth > 0 && random.Chance(25)) type.kind = Kind::kList;
  type.is_optional = random.Chance(40);
  if (type.kind == Kind::kEnum) {
    static const auto* const kEnums = new std::vector<std::vector<std::string>>{
        {"low", "mid", "high"}, {"buy", "sell"}, {"mid", "one-time", "off"}};
    type.members = random.Pick(*kEnums);
  }
  if (type.kind == Kind::kList) {
    SglType element = RandomType(random, depth - 1);
    // Lists of records are what any, all, count and sum are for.
    if (depth > 1 && random.Chance(60)) {
      element = SglType();
      element.kind = Kind::kRecord;
      element.fields = RandomFields(random, "", 4, depth - 2);
      element.is_optional = random.Chance(15);
    }
    type.element = std::make_shared<const SglType>(element);
  }
  if (type.kind == Kind::kRecord) {
    for (int i = random.Between(1, 3); i > 0; --i) {
      type.fields.push_back(
          {absl::StrCat("r", i), RandomType(random, depth - 1)});
    }
  }
  return type;
}

}  // namespace

std::string SpellName(absl::string_view name) {
  return IsWord(name) ? std::string(name) : SpellString(name);
}

std::string SpellString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (absl::ascii_iscntrl(c)) {
      absl::StrAppend(&out, "\\u{", absl::Hex(static_cast<int>(c)), "}");
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string SglType::Spell() const {
  static const auto* const kNames =
      new std::vector<std::string>{"bool",   "int",    "decimal",   "usd",
                                   "string", "symbol", "timestamp", "duration"};
  std::string text;
  std::vector<std::string> parts;
  switch (kind) {
    case Kind::kEnum:
      for (const std::string& member : members) {
        parts.push_back(SpellName(member));
      }
      text = absl::StrCat("enum(", absl::StrJoin(parts, ", "), ")");
      break;
    case Kind::kList:
      text = absl::StrCat("list<", element->Spell(), ">");
      break;
    case Kind::kRecord:
      for (const NamedType& field : fields) {
        parts.push_back(
            absl::StrCat(SpellName(field.name), ": ", field.type.Spell()));
      }
      text = absl::StrCat("{ ", absl::StrJoin(parts, ", "), " }");
      break;
    default:
      text = (*kNames)[static_cast<size_t>(kind)];
      break;
  }
  return is_optional ? text + "?" : text;
}

SglType SglType::Required() const {
  SglType type = *this;
  type.is_optional = false;
  return type;
}

std::vector<NamedType> RandomFields(Random& random, absl::string_view prefix,
                                    int count_max, int depth) {
  // Few names, so that several types declare the same; odd words among them.
  static const auto* const kNames = new std::vector<std::string>{
      "memo", "amount", "lines", "when", "to-account", "test", "tags", "url"};
  std::vector<std::string> names = *kNames;
  std::vector<NamedType> fields;
  for (int i = random.Between(prefix.empty() ? 1 : 0, count_max); i > 0; --i) {
    const size_t at = random.Below(names.size());
    fields.push_back(
        {absl::StrCat(prefix, names[at]), RandomType(random, depth)});
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return fields;
}

const std::vector<std::string>& TextPool() {
  static const auto* const kTexts = new std::vector<std::string>{
      "",
      "a",
      "A",
      "ab",
      "US1",
      "IR77",
      "my Secret card",
      "078-05-1120",
      "https://paypal.com/login",
      "https://User:x@PayPal.com.:443/a?b#c",
      "http://[::1]:80/",
      "https://a.bank.example",
      "https://google.com\\@paypal.com",
      "https://pay%70al.com",
      "http://a b",
      "ftp://x..y",
      "https://",
      "mailto:a@b",
      "\xc3\x9cn\xc3\xaf",
      "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
      "x\ny\t\"z\"",
      "${payload}",
      "\x01",
  };
  return *kTexts;
}

const std::vector<std::string>& SymbolPool() {
  static const auto* const kSymbols =
      new std::vector<std::string>{"SYM_A", "SYM_B", "sym_c"};
  return *kSymbols;
}

const std::vector<std::string>& LiteralPool(Kind kind) {
  using Pool = std::vector<std::string>;
  static const auto* const kPools = new std::map<Kind, Pool>{
      {Kind::kBool, {"true", "false"}},
      {Kind::kInt,
       {"0", "1", "2", "3", "5", "10", "250", "(-1)", "(-3)",
        "9223372036854775807", "(-9223372036854775808)", "4294967296"}},
      {Kind::kDecimal,
       {"0.0", "0.5", "0.6", "1.0", "0.000000001", "2.5", "(-0.5)",
        "9223372036.854775807", "100000.25"}},
      {Kind::kUsd,
       {"$0", "$250", "$0.05", "$0.000001", "$1000", "(-$5)",
        "$9223372036854.775807", "$3"}},
      {Kind::kTimestamp,
       {"2026-03-02T16:00:00Z", "1970-01-01T00:00:00Z", "2026-03-08T08:00:00Z",
        "2025-12-31T23:59:59.999999Z"}},
      {Kind::kDuration, {"0s", "1s", "15m", "24h", "7d", "106751991d"}},
  };
  if (kind == Kind::kString || kind == Kind::kSymbol) {
    static const auto* const kStrings = [] {
      auto* const strings = new Pool;
      for (const std::string& text : TextPool()) {
        strings->push_back(SpellString(text));
      }
      return strings;
    }();
    return kind == Kind::kSymbol ? SymbolPool() : *kStrings;
  }
  const auto pool = kPools->find(kind);
  SGL_CHECK(pool != kPools->end()) << static_cast<int>(kind);
  return pool->second;
}

}  // namespace sgl::tests
