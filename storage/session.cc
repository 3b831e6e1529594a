#include "storage/session.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <pqxx/array>
#include <pqxx/binarystring>
#include <utility>

#include "storage/queries.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

void RefuseNul(absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) {
    Raise(absl::InvalidArgumentError("a text contains a NUL byte"));
  }
}

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration));
}

// Writes the arguments into `sql` in place of $1 to $9.
std::string WithLiterals(pqxx::connection& connection, const char* sql,
                         const Args& args) {
  std::string text;
  for (const char* at = sql; *at != '\0'; ++at) {
    if (*at != '$' || at[1] < '1' || at[1] > '9') {
      text += *at;
      continue;
    }
    ++at;
    const char* value = args.values().at(*at - '1');
    text += value == nullptr ? "NULL" : connection.quote(std::string(value));
  }
  return text;
}

}  // namespace

void ArrayText::Separate() {
  if (text_.size() > 1) text_ += ',';
}

void ArrayText::Add(absl::string_view element) {
  RefuseNul(element);
  Separate();
  text_ += '"';
  for (const char c : element) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayText::AddInt(int64_t element) {
  Separate();
  absl::StrAppend(&text_, element);
}

void ArrayText::AddNull() {
  Separate();
  text_ += "NULL";
}

void ArrayText::AddNullable(absl::string_view element) {
  if (element.empty()) {
    AddNull();
  } else {
    Add(element);
  }
}

Args& Args::Text(absl::string_view value) {
  RefuseNul(value);
  texts_.emplace_back(value);
  values_.push_back(texts_.back().c_str());
  return *this;
}

Args& Args::Nullable(absl::string_view value) {
  return value.empty() ? Null() : Text(value);
}

Args& Args::Int(int64_t value) { return Text(absl::StrCat(value)); }

Args& Args::OptionalInt(const std::optional<int64_t>& value) {
  return value.has_value() ? Int(*value) : Null();
}

Args& Args::Bool(bool value) { return Text(value ? "t" : "f"); }

Args& Args::Array(const ArrayText& value) { return Text(value.Finish()); }

Args& Args::TextArray(const std::vector<std::string>& values) {
  ArrayText array;
  for (const std::string& value : values) array.Add(value);
  return Array(array);
}

Args& Args::Time(const std::optional<absl::Time>& value) {
  return value.has_value() ? Int(absl::ToUnixMicros(*value)) : Null();
}

Args& Args::Duration(const std::optional<absl::Duration>& value) {
  return value.has_value() ? Int(absl::ToInt64Microseconds(*value)) : Null();
}

Args& Args::Null() {
  values_.push_back(nullptr);
  return *this;
}

pqxx::field RowReader::Next() { return row_[column_++]; }

bool RowReader::NextIsNull() const { return row_[column_].is_null(); }

std::string RowReader::Text() {
  const pqxx::field field = Next();
  return std::string(field.c_str(), field.size());
}

int64_t RowReader::Int() { return Next().as<int64_t>(0); }

std::optional<int64_t> RowReader::OptionalInt() {
  if (!NextIsNull()) return Int();
  ++column_;
  return std::nullopt;
}

bool RowReader::Bool() { return Next().as<bool>(false); }

absl::Time RowReader::Time() { return absl::FromUnixMicros(Int()); }

std::optional<absl::Time> RowReader::OptionalTime() {
  if (!NextIsNull()) return Time();
  ++column_;
  return std::nullopt;
}

std::vector<std::string> RowReader::TextArray() {
  std::vector<std::string> elements;
  const std::string text = Text();
  pqxx::array_parser parser(text.c_str());
  while (true) {
    const auto [juncture, element] = parser.get_next();
    if (juncture == pqxx::array_parser::done) return elements;
    if (juncture == pqxx::array_parser::string_value) {
      elements.push_back(element);
    }
  }
}

Session::Session(const std::string& connection_string)
    : connection_(std::make_unique<pqxx::connection>(connection_string)) {
  // libpqxx deprecates this because its next version reconnects no more.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

void Session::Begin(const BeginOptions& options) {
  const std::string tenants = TenantSetting(options.tenants);
  transaction_.emplace(*connection_);
  has_failed_ = false;
  Script(kBeginSql, Args()
                        .Text(Milliseconds(options.statement_timeout))
                        .Text(Milliseconds(options.lock_timeout))
                        .Text(Milliseconds(options.idle_timeout))
                        .Text(tenants)
                        .Nullable(options.search_path));
  tenants_ = options.tenants;
}

pqxx::result Session::Ask(const char* sql, absl::Duration statement_timeout,
                          const std::string& search_path) {
  pqxx::nontransaction work(*connection_);
  return work.exec(WithLiterals(
      *connection_, sql,
      Args().Text(Milliseconds(statement_timeout)).Nullable(search_path)));
}

pqxx::result Session::Exec(const char* sql, const Args& args) {
  if (has_failed_) {
    Raise(absl::AbortedError("an earlier statement of the transaction failed"));
  }
  has_failed_ = true;
  pqxx::result result = transaction_->exec_params(
      sql, pqxx::prepare::make_dynamic_params(args.values()));
  has_failed_ = false;
  return result;
}

pqxx::result Session::Exec(const char* sql,
                           std::span<const BinaryArray* const> arrays,
                           const Args& args) {
  if (has_failed_) {
    Raise(absl::AbortedError("an earlier statement of the transaction failed"));
  }
  std::vector<pqxx::binarystring> values;
  values.reserve(arrays.size());
  for (const BinaryArray* array : arrays) values.emplace_back(array->Finish());
  has_failed_ = true;
  pqxx::result result = transaction_->exec_params(
      sql, pqxx::prepare::make_dynamic_params(values),
      pqxx::prepare::make_dynamic_params(args.values()));
  has_failed_ = false;
  return result;
}

pqxx::row Session::ExecOne(const char* sql, const Args& args,
                           absl::string_view missing) {
  const pqxx::result result = Exec(sql, args);
  if (result.empty()) {
    Raise(absl::NotFoundError(absl::StrCat("there is no ", missing)));
  }
  if (result.size() > 1) {
    Raise(absl::InternalError(absl::StrCat("several rows for ", missing)));
  }
  return result[0];
}

pqxx::result Session::Script(const char* sql, const Args& args) {
  if (has_failed_) {
    Raise(absl::AbortedError("an earlier statement of the transaction failed"));
  }
  has_failed_ = true;
  pqxx::result result =
      transaction_->exec(WithLiterals(*connection_, sql, args));
  has_failed_ = false;
  return result;
}

void Session::SetTenants(const std::vector<std::string>& tenants) {
  Exec(kSetTenantsSql, Args().Text(TenantSetting(tenants)));
  tenants_ = tenants;
}

const std::string& Session::OnlyTenant() const {
  if (tenants_.size() != 1) {
    Raise(absl::FailedPreconditionError(
        absl::StrCat("the transaction has ", tenants_.size(),
                     " tenants where one is needed")));
  }
  return tenants_[0];
}

void Session::SetSavepoint() { Script(kSavepointSql); }

void Session::RollbackToSavepoint() {
  has_failed_ = false;
  Script(kRollbackToSavepointSql);
}

void Session::CheckDeferred() { Script(kCheckDeferredSql); }

void Session::ReleaseSavepoint() { Script(kReleaseSavepointSql); }

void Session::Commit() {
  // PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK.
  Script(kCommitSql);
  transaction_.reset();
}

void Session::Rollback() {
  has_failed_ = false;
  Script(kRollbackSql);
  transaction_.reset();
}

std::string TenantSetting(const std::vector<std::string>& tenants) {
  for (const std::string& tenant : tenants) {
    if (!IsUuid(tenant)) {
      Raise(absl::InvalidArgumentError(
          absl::StrCat("the tenant `", tenant, "` is no UUID")));
    }
  }
  if (tenants.empty()) return "";
  return absl::StrCat("{", absl::StrJoin(tenants, ","), "}");
}

Session& OpenSession(Transaction& tx) {
  Session* session = tx.session_or_null();
  if (session == nullptr) {
    Raise(absl::FailedPreconditionError("the transaction is over"));
  }
  return *session;
}

}  // namespace sgl::storage
