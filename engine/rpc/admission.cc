#include "engine/rpc/admission.h"

#include <absl/strings/str_cat.h>

#include <vector>

#include "base/log.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

// One for a principal, not for a token: more tokens are no more calls.
std::string RateKey(const storage::Principal& principal) {
  const std::string& id = !principal.agent_id.empty()  ? principal.agent_id
                          : !principal.user_id.empty() ? principal.user_id
                                                       : principal.token_id;
  return absl::StrCat(principal.tenant_id, "/", id);
}

}  // namespace

Admission::Admission(storage::Database* db, const Options& options)
    : db_(db),
      now_(options.now),
      authenticator_(db, options.now),
      calls_({.per_second = options.calls_per_second,
              .burst = options.calls_burst,
              .now = options.now}) {}

absl::StatusOr<storage::Principal> Admission::Admit(const Arrival& arrival) {
  Report(/*everything=*/false);
  const std::string source = SourceOfPeer(arrival.peer);
  absl::StatusOr<storage::Principal> principal =
      authenticator_.Authenticate(arrival.authorization, source);
  if (!principal.ok()) {
    // Refusals of ours; an absent database says nothing of the credentials.
    if (!ReasonOf(principal.status()).empty()) refused_.Add(source, now_());
    return principal;
  }
  if (calls_.Take(RateKey(*principal)) > absl::ZeroDuration()) {
    return Refusal(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                   "this principal calls more often than it may; wait, and "
                   "send the same again");
  }
  const absl::Status allowed = Authorize(*principal, arrival.method);
  if (!allowed.ok()) return allowed;
  return principal;
}

absl::StatusOr<storage::Principal> Admission::AdmitAgain(
    const Arrival& arrival) {
  absl::StatusOr<storage::Principal> principal = authenticator_.Authenticate(
      arrival.authorization, SourceOfPeer(arrival.peer));
  if (!principal.ok()) return principal;
  const absl::Status allowed = Authorize(*principal, arrival.method);
  if (!allowed.ok()) return allowed;
  return principal;
}

void Admission::Charge(const storage::Principal& principal, size_t calls) {
  calls_.Charge(RateKey(principal), static_cast<double>(calls));
}

void Admission::Flush() { Report(/*everything=*/true); }

void Admission::Report(bool everything) {
  const std::vector<RefusedCredentials::Count> counts =
      refused_.TakeFinished(now_(), everything);
  if (counts.empty()) return;
  for (const auto& count : counts) {
    LogWarn("refused {} calls with bad credentials from {} in the minute {}",
            count.calls, count.source,
            absl::FormatTime("%H:%M", count.minute, absl::UTCTimeZone()));
  }
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  absl::Status written = tx.status();
  for (const auto& count : counts) {
    if (!written.ok()) break;
    written = storage::RecordRefusedCredentials(
        *tx,
        {.minute = count.minute, .source = count.source, .calls = count.calls});
  }
  if (written.ok()) written = tx->Commit();
  if (!written.ok()) {
    LogWarn("refused credentials stand in this log alone: {}",
            written.ToString());
  }
}

}  // namespace sgl::engine
