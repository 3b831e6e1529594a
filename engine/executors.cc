#include "engine/executors.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>

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

absl::StatusOr<ExecutorKind> KindOf(const intent::v1::Executor& executor) {
  if (executor.intent_type().empty()) {
    return absl::InvalidArgumentError("an executor names no intent_type");
  }
  switch (executor.kind_case()) {
    case intent::v1::Executor::kRecord:
      return ExecutorKind::kRecord;
    case intent::v1::Executor::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the executor of `", executor.intent_type(),
                   "` has no kind; write `record {}`"));
}

}  // namespace

absl::string_view ExecutorKindName(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::kNone:
      return "none";
    case ExecutorKind::kRecord:
      return "record";
    case ExecutorKind::kEffect:
      break;
  }
  return "effect";
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
  }
  return registry;
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

std::vector<std::string> ExecutorRegistry::Missing(
    const std::vector<std::string>& intent_types) const {
  std::vector<std::string> missing;
  for (const std::string& type : intent_types) {
    if (Find(type) == ExecutorKind::kNone) missing.push_back(type);
  }
  return missing;
}

}  // namespace sgl::engine
