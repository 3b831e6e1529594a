#include "storage/policies.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/check.h"
#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

std::string ReadActiveDigest(Session& session) {
  RowReader reader(
      session.ExecOne(kActivePolicyDigestSql, Args(), "policy digest"));
  return reader.Text();
}

// Names and texts of the sources, as two columns.
Args& AddSources(const std::vector<PolicySource>& sources, Args& args) {
  ArrayText names;
  ArrayText texts;
  for (const PolicySource& source : sources) {
    names.Add(source.name);
    texts.Add(source.text);
  }
  return args.Array(names).Array(texts);
}

std::vector<PolicySource> ReadSources(RowReader& reader) {
  std::vector<std::string> names = reader.TextArray();
  std::vector<std::string> texts = reader.TextArray();
  SGL_CHECK_EQ(names.size(), texts.size());
  std::vector<PolicySource> sources;
  for (size_t i = 0; i < names.size(); ++i) {
    sources.push_back(
        {.name = std::move(names[i]), .text = std::move(texts[i])});
  }
  return sources;
}

PolicyVersion ReadVersion(const pqxx::row& row) {
  RowReader reader(row);
  PolicyVersion version;
  version.id = reader.Text();
  version.tenant_id = reader.Text();
  version.set.digest = reader.Text();
  version.set.sources = ReadSources(reader);
  version.author = reader.Text();
  version.author_user_id = reader.Text();
  version.description = reader.Text();
  version.report = reader.Text();
  version.created_at = reader.Time();
  version.is_active = reader.Bool();
  version.activated_at = reader.OptionalTime();
  if (!reader.NextIsNull()) {
    version.activated_by.user_id = reader.Text();
  } else {
    reader.Text();
  }
  version.activated_by.external_id = reader.Text();
  version.intent_id = reader.Text();
  return version;
}

std::vector<ActiveLayer> ReadLayers(const pqxx::result& result) {
  std::vector<ActiveLayer> layers;
  for (const pqxx::row& row : result) {
    RowReader reader(row);
    ActiveLayer& layer = layers.emplace_back();
    layer.tenant_id = reader.Text();
    layer.tenant_slug = reader.Text();
    layer.set.digest = reader.Text();
    layer.set.sources = ReadSources(reader);
  }
  return layers;
}

ActivationOutcome OutcomeOf(const std::string& text) {
  if (text == "activated") return ActivationOutcome::kActivated;
  if (text == "unchanged") return ActivationOutcome::kUnchanged;
  if (text == "unknown") return ActivationOutcome::kUnknown;
  if (text == "replaced") return ActivationOutcome::kReplaced;
  if (text == "unapproved") return ActivationOutcome::kUnapproved;
  if (text == "switched_off") return ActivationOutcome::kSwitchedOff;
  if (text == "forbidden") return ActivationOutcome::kForbidden;
  SGL_CHECK(text == "not_an_activation") << text;
  return ActivationOutcome::kNotAnActivation;
}

}  // namespace

absl::Status StorePolicy(Transaction& tx, const PolicySet& set,
                         const std::string& author) noexcept {
  return Guard("store a policy", [&] {
    Args args;
    args.Text(set.digest);
    AddSources(set.sources, args).Text(author);
    OpenSession(tx).Exec(kStorePolicySql, args);
    return absl::OkStatus();
  });
}

absl::Status ActivatePolicy(Transaction& tx, const std::string& digest,
                            Activation activation, const Actor& actor,
                            const std::string& reason) noexcept {
  return Guard("activate a policy", [&]() -> absl::Status {
    Session& session = OpenSession(tx);
    Args args;
    args.Text(digest).Text(actor.external_id);
    const bool is_first = activation == Activation::kFirstOnly;
    if (!is_first) args.Text(reason);
    RowReader reader(session.ExecOne(
        is_first ? kSeedPolicySql : kForcePolicySql, args, "outcome"));
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

absl::StatusOr<std::optional<PolicySet>> GetOnceActivePolicy(
    Transaction& tx, const std::string& digest) noexcept {
  using Result = absl::StatusOr<std::optional<PolicySet>>;
  return Guard("read a policy that was active", [&]() -> Result {
    std::optional<PolicySet> set;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kOnceActivePolicySql, Args().Text(digest))) {
      RowReader reader(row);
      set.emplace(PolicySet{.digest = digest, .sources = ReadSources(reader)});
    }
    return set;
  });
}

absl::StatusOr<std::string> GetActiveDigest(Transaction& tx) noexcept {
  return Guard("read the active policy's digest",
               [&]() -> absl::StatusOr<std::string> {
                 return ReadActiveDigest(OpenSession(tx));
               });
}

absl::StatusOr<bool> ProposePolicy(Transaction& tx,
                                   const NewPolicyVersion& version) noexcept {
  return Guard("propose a policy", [&]() -> absl::StatusOr<bool> {
    Args args;
    args.Nullable(version.tenant_id).Text(version.set.digest);
    AddSources(version.set.sources, args)
        .Text(version.author)
        .Nullable(version.actor.user_id.value_or(""))
        .Nullable(version.actor.external_id)
        .Text(version.description)
        .Text(version.report);
    RowReader reader(
        OpenSession(tx).ExecOne(kProposePolicySql, args, "outcome"));
    return reader.Bool();
  });
}

absl::StatusOr<std::vector<PolicyVersion>> ListPolicyVersions(
    Transaction& tx, const PolicyVersionFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<PolicyVersion>>;
  return Guard("list policies", [&]() -> Result {
    if (!filter.id.empty()) RequireId("policy", filter.id);
    Args args;
    args.Nullable(filter.tenant_id)
        .Nullable(filter.id)
        .Nullable(filter.digest)
        .Bool(filter.only_active);
    AddPage(after, limit, args);
    args.Bool(filter.with_sources);
    std::vector<PolicyVersion> versions;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kPolicyVersionsSql, args)) {
      versions.push_back(ReadVersion(row));
    }
    return versions;
  });
}

absl::StatusOr<PolicyVersion> GetPolicyVersion(
    Transaction& tx, const PolicyVersionFilter& filter) noexcept {
  PolicyVersionFilter with_sources = filter;
  with_sources.with_sources = true;
  absl::StatusOr<std::vector<PolicyVersion>> found =
      ListPolicyVersions(tx, with_sources, std::nullopt, 1);
  if (!found.ok()) return found.status();
  if (found->empty()) {
    return absl::NotFoundError(absl::StrCat(
        "get a policy: there is no version ", filter.id, filter.digest));
  }
  return std::move(found->front());
}

absl::StatusOr<std::vector<ActiveLayer>> ActiveLayers(
    Transaction& tx, const std::vector<std::string>& with_sources_of) noexcept {
  using Result = absl::StatusOr<std::vector<ActiveLayer>>;
  return Guard("read active layers", [&]() -> Result {
    return ReadLayers(OpenSession(tx).Exec(kActiveLayersSql,
                                           Args().TextArray(with_sources_of)));
  });
}

absl::StatusOr<std::vector<ActiveLayer>> AllActiveLayers(
    Transaction& tx, const std::string& after_tenant, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<ActiveLayer>>;
  return Guard("read all active layers", [&]() -> Result {
    return ReadLayers(OpenSession(tx).Exec(
        kAllActiveLayersSql, Args().Nullable(after_tenant).Int(limit)));
  });
}

absl::StatusOr<ActivationOutcome> ActivateApprovedPolicy(
    Transaction& tx, const std::string& intent_id,
    const std::string& last_voter) noexcept {
  using Result = absl::StatusOr<ActivationOutcome>;
  return Guard("activate an approved policy", [&]() -> Result {
    RowReader reader(OpenSession(tx).ExecOne(
        kActivateApprovedPolicySql, Args().Text(intent_id).Text(last_voter),
        "outcome"));
    return OutcomeOf(reader.Text());
  });
}

absl::StatusOr<std::string> LockTenantPolicy(
    Transaction& tx, const std::string& tenant_id) noexcept {
  return Guard("lock a tenant's policy", [&]() -> absl::StatusOr<std::string> {
    RowReader reader(OpenSession(tx).ExecOne(
        kLockTenantPolicySql, Args().Text(tenant_id), "policy lock"));
    return reader.Text();
  });
}

absl::StatusOr<ActivationOutcome> ActivateTenantPolicy(
    Transaction& tx, const std::string& tenant_id, const std::string& digest,
    const std::string& user_id) noexcept {
  using Result = absl::StatusOr<ActivationOutcome>;
  return Guard("activate a tenant's policy", [&]() -> Result {
    RowReader reader(OpenSession(tx).ExecOne(
        kActivateTenantPolicySql,
        Args().Text(tenant_id).Text(digest).Text(user_id), "outcome"));
    return OutcomeOf(reader.Text());
  });
}

}  // namespace sgl::storage
