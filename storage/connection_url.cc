#include "storage/connection_url.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <postgresql/libpq-fe.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 7> kPrismaOnly = {
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "max_connection_lifetime",
    "max_idle_connection_lifetime"};

// Given only where the user's text doesn't name them.
constexpr std::array<std::pair<const char*, const char*>, 5> kDefaults = {{
    {"connect_timeout", "5"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "20000"},
}};

std::string PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           absl::ascii_isxdigit(text[i + 1]) &&
                           absl::ascii_isxdigit(text[i + 2]);
    if (!is_escape) {
      decoded += text[i];
      continue;
    }
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

bool IsPrismaOnly(absl::string_view name) {
  for (absl::string_view known : kPrismaOnly) {
    if (name == known) return true;
  }
  return false;
}

std::string QuotedIdentifier(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

// Quotes a value of a keyword string.
std::string QuotedValue(absl::string_view value) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

bool IsUri(absl::string_view url) {
  return absl::StartsWith(url, "postgres://") ||
         absl::StartsWith(url, "postgresql://");
}

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

absl::StatusOr<ConnectionUrl> ParseConnectionUrl(
    absl::string_view url, absl::string_view application_name) {
  ConnectionUrl parsed;
  std::string kept(url);
  const size_t question = url.find('?');
  if (IsUri(url) && question != absl::string_view::npos) {
    std::vector<absl::string_view> params;
    for (absl::string_view param :
         absl::StrSplit(url.substr(question + 1), '&', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> pair =
          absl::StrSplit(param, absl::MaxSplits('=', 1));
      if (pair.first == "schema") {
        const std::string schema = PercentDecoded(pair.second);
        if (!schema.empty()) parsed.search_path = QuotedIdentifier(schema);
      } else if (!IsPrismaOnly(pair.first)) {
        params.push_back(param);
      }
    }
    kept = absl::StrCat(url.substr(0, question), params.empty() ? "" : "?",
                        absl::StrJoin(params, "&"));
  }
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(
      PQconninfoParse(kept.c_str(), &error));
  if (options == nullptr) {
    PQfreemem(error);
    return absl::InvalidArgumentError(
        "the database URL is not one that PostgreSQL's client library takes: "
        "expected postgresql://user:password@host:port/database?name=value");
  }
  // Rebuilt as keywords: one form to add to, whatever came.
  std::vector<std::string> pairs;
  std::vector<absl::string_view> names;
  for (const PQconninfoOption* option = options.get();
       option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    names.push_back(option->keyword);
    pairs.push_back(
        absl::StrCat(option->keyword, "=", QuotedValue(option->val)));
  }
  const auto add = [&](absl::string_view name, absl::string_view value) {
    for (absl::string_view given : names) {
      if (given == name) return;
    }
    pairs.push_back(absl::StrCat(name, "=", QuotedValue(value)));
  };
  for (const auto& [name, value] : kDefaults) add(name, value);
  add("application_name", application_name);
  // What we send is UTF-8, whatever PGCLIENTENCODING says.
  add("client_encoding", "UTF8");
  parsed.connection_string = absl::StrJoin(pairs, " ");
  return parsed;
}

}  // namespace sgl::storage
