#include "engine/executors.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "engine/text.h"
#include "intent/v1/executors.pb.h"

namespace sgl::engine {
namespace {

// Keeps the first error of a text file: later ones follow from it.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(absl::string_view file) : file_(file) {}

  // Lines and columns count from zero here.
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (!text_.empty()) return;
    text_ = absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  const std::string file_;
  std::string text_;
};

// As the database's LedgerCategory has them.
constexpr std::array<absl::string_view, 7> kLedgerCategories = {
    "subscription", "token_spend", "api_spend", "refund",
    "chargeback",   "payout",      "misc"};

absl::StatusOr<ExecutorKind> KindOf(const intent::v1::Executor& executor) {
  if (executor.intent_type().empty()) {
    return absl::InvalidArgumentError("an executor names no intent_type");
  }
  switch (executor.kind_case()) {
    case intent::v1::Executor::kRecord:
      return ExecutorKind::kRecord;
    case intent::v1::Executor::kJob:
      return ExecutorKind::kJob;
    case intent::v1::Executor::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the executor of `", executor.intent_type(),
                   "` has no kind; write `record {}` or `job {}`"));
}

}  // namespace

absl::string_view ExecutorKindName(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::kNone:
      return "none";
    case ExecutorKind::kRecord:
      return "record";
    case ExecutorKind::kEffect:
      return "effect";
    case ExecutorKind::kJob:
      break;
  }
  return "job";
}

ExecutorRegistry::ExecutorRegistry()
    : effects_(std::make_shared<const EffectRegistry>()) {
  for (const EffectDecl& decl : effects_->decls()) {
    kinds_.emplace(decl.intent_type, ExecutorKind::kEffect);
  }
}

absl::StatusOr<ExecutorRegistry> ExecutorRegistry::FromText(
    absl::string_view file, absl::string_view text) {
  intent::v1::ExecutorSet set;
  FirstError error(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &set)) {
    return absl::InvalidArgumentError(error.text());
  }
  if (set.executors_size() > kExecutorsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", set.executors_size(), " executors; at most ",
                     kExecutorsMax, " are allowed"));
  }
  ExecutorRegistry registry;
  for (const intent::v1::Executor& executor : set.executors()) {
    const absl::StatusOr<ExecutorKind> kind = KindOf(executor);
    if (!kind.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": ", kind.status().message()));
    }
    if (!registry.kinds_.emplace(executor.intent_type(), *kind).second) {
      const bool has_effect =
          registry.effects_->Find(executor.intent_type()) != nullptr;
      return absl::InvalidArgumentError(absl::StrCat(
          file, ": intent type `", executor.intent_type(),
          "` has two executors",
          has_effect ? ": its effect is built in; take it out of the file"
                     : ""));
    }
    if (*kind != ExecutorKind::kJob) continue;
    const absl::Status added =
        registry.AddJob(executor.intent_type(), executor.job());
    if (!added.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": the job of `",
                                                     executor.intent_type(),
                                                     "`: ", added.message()));
    }
  }
  const absl::Status added = registry.AddSpends(set);
  if (!added.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", added.message()));
  }
  return registry;
}

absl::Status ExecutorRegistry::AddSpends(const intent::v1::ExecutorSet& set) {
  if (set.spends_size() > kExecutorsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        set.spends_size(), " spends; at most ", kExecutorsMax, " are allowed"));
  }
  for (const intent::v1::Spend& spend : set.spends()) {
    if (spend.intent_type().empty()) {
      return absl::InvalidArgumentError("a spend names no intent_type");
    }
    if (std::find(kLedgerCategories.begin(), kLedgerCategories.end(),
                  spend.category()) == kLedgerCategories.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the spend of `", spend.intent_type(), "` has the category `",
          spend.category(), "`; the ledger has ",
          absl::StrJoin(kLedgerCategories, ", ")));
    }
    if (!spend_categories_.emplace(spend.intent_type(), spend.category())
             .second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the spend of `", spend.intent_type(), "` is stated twice"));
    }
  }
  return absl::OkStatus();
}

absl::string_view ExecutorRegistry::SpendCategory(
    absl::string_view intent_type) const {
  const auto found = spend_categories_.find(intent_type);
  return found == spend_categories_.end() ? absl::string_view()
                                          : absl::string_view(found->second);
}

absl::Status ExecutorRegistry::AddJob(const std::string& intent_type,
                                      const intent::v1::JobExecutor& job) {
  const std::string& type =
      job.job_type().empty() ? intent_type : job.job_type();
  if (CharacterCount(type) > kJobTypeMax || HasNul(type)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a job_type has at most ", kJobTypeMax,
                     " characters, none of them NUL"));
  }
  const int32_t retries =
      job.has_max_retries() ? job.max_retries() : kMaxRetriesDefault;
  if (retries < 0 || retries > kMaxRetriesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_retries is 0 to ", kMaxRetriesMax, ", not ", retries));
  }
  if (job.concurrency_max() < 0) {
    return absl::InvalidArgumentError(
        "concurrency_max is negative; leave it out for no limit");
  }
  const auto [found, is_new] =
      running_max_.try_emplace(type, job.concurrency_max());
  if (!is_new && found->second != job.concurrency_max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job_type `", type, "` has two values of concurrency_max, ",
        found->second, " and ", job.concurrency_max(),
        "; state the same one everywhere"));
  }
  if (CharacterCount(job.provider()) > kProviderMax || HasNul(job.provider())) {
    return absl::InvalidArgumentError(
        absl::StrCat("a provider has at most ", kProviderMax,
                     " characters, none of them NUL"));
  }
  if (!job.provider().empty()) {
    providers_[type].emplace_back(intent_type, job.provider());
  }
  jobs_[intent_type] = {.job_type = type,
                        .priority = job.priority(),
                        .max_retries = retries,
                        .provider = job.provider()};
  return absl::OkStatus();
}

std::span<const std::pair<std::string, std::string>>
ExecutorRegistry::ProvidersOf(absl::string_view job_type) const {
  const auto found = providers_.find(job_type);
  if (found == providers_.end()) return {};
  return found->second;
}

ExecutorRegistry ExecutorRegistry::RecordAllBut(
    const std::vector<std::string>& types) {
  ExecutorRegistry registry;
  registry.default_kind_ = ExecutorKind::kRecord;
  for (const std::string& type : types) {
    registry.kinds_[type] = ExecutorKind::kNone;
  }
  return registry;
}

ExecutorRegistry ExecutorRegistry::RecordingOthers() && {
  default_kind_ = ExecutorKind::kRecord;
  return std::move(*this);
}

ExecutorKind ExecutorRegistry::Find(absl::string_view intent_type) const {
  const auto found = kinds_.find(intent_type);
  return found == kinds_.end() ? default_kind_ : found->second;
}

std::vector<std::pair<std::string, ExecutorKind>> ExecutorRegistry::Named()
    const {
  std::vector<std::pair<std::string, ExecutorKind>> named(kinds_.begin(),
                                                          kinds_.end());
  std::sort(named.begin(), named.end());
  return named;
}

const JobSettings& ExecutorRegistry::JobOf(
    absl::string_view intent_type) const {
  const auto found = jobs_.find(intent_type);
  SGL_CHECK(found != jobs_.end()) << std::string(intent_type);
  return found->second;
}

std::optional<int32_t> ExecutorRegistry::RunningMax(
    absl::string_view job_type) const {
  const auto found = running_max_.find(job_type);
  if (found == running_max_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> ExecutorRegistry::Missing(
    const std::vector<std::string>& intent_types) const {
  std::vector<std::string> missing;
  for (const std::string& type : intent_types) {
    if (Find(type) == ExecutorKind::kNone) missing.push_back(type);
  }
  return missing;
}

std::vector<std::string> ExecutorRegistry::UnknownSpends(
    const std::vector<std::string>& intent_types) const {
  std::vector<std::string> unknown;
  for (const auto& [type, category] : spend_categories_) {
    if (!absl::c_linear_search(intent_types, type)) unknown.push_back(type);
  }
  absl::c_sort(unknown);
  return unknown;
}

}  // namespace sgl::engine
