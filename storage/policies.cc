#include "storage/policies.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

std::string ReadActiveDigest(Session& session) {
  RowReader reader(
      session.ExecOne(kActivePolicyDigestSql, Args(), "policy digest"));
  return reader.Text();
}

}  // namespace

absl::Status StorePolicy(Transaction& tx, const PolicySet& set,
                         const std::string& author) noexcept {
  return Guard("store a policy", [&] {
    ArrayText names;
    ArrayText texts;
    for (const PolicySource& source : set.sources) {
      names.Add(source.name);
      texts.Add(source.text);
    }
    OpenSession(tx).Exec(
        kStorePolicySql,
        Args().Text(set.digest).Array(names).Array(texts).Text(author));
    return absl::OkStatus();
  });
}

absl::Status ActivatePolicy(Transaction& tx, const std::string& digest,
                            Activation activation,
                            const Actor& actor) noexcept {
  return Guard("activate a policy", [&]() -> absl::Status {
    Session& session = OpenSession(tx);
    RowReader reader(
        session.ExecOne(kActivatePolicySql,
                        Args()
                            .Text(digest)
                            .Bool(activation == Activation::kFirstOnly)
                            .Nullable(actor.user_id.value_or(""))
                            .Nullable(actor.external_id),
                        "outcome"));
    const std::string outcome = reader.Text();
    if (outcome == "unknown") {
      return absl::NotFoundError(absl::StrCat(
          "activate a policy: no policy set `", digest, "` is stored"));
    }
    if (outcome == "occupied") {
      return absl::FailedPreconditionError(
          absl::StrCat("activate a policy: `", ReadActiveDigest(session),
                       "` is active already"));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<PolicySet>> GetActivePolicy(
    Transaction& tx) noexcept {
  using Result = absl::StatusOr<std::optional<PolicySet>>;
  return Guard("read the active policy", [&]() -> Result {
    std::optional<PolicySet> active;
    for (const pqxx::row& row : OpenSession(tx).Exec(kActivePolicySql)) {
      RowReader reader(row);
      if (!active.has_value()) active.emplace();
      active->digest = reader.Text();
      if (reader.NextIsNull()) continue;  // A set without files.
      std::string name = reader.Text();
      std::string text = reader.Text();
      active->sources.push_back(
          {.name = std::move(name), .text = std::move(text)});
    }
    return active;
  });
}

absl::StatusOr<std::string> GetActiveDigest(Transaction& tx) noexcept {
  return Guard("read the active policy's digest",
               [&]() -> absl::StatusOr<std::string> {
                 return ReadActiveDigest(OpenSession(tx));
               });
}

}  // namespace sgl::storage
