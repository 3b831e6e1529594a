#include "bench/fixture.h"

#include <absl/container/flat_hash_map.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace sgl::bench {
namespace {

constexpr uint64_t kOrderSeed = 7;
constexpr size_t kOrderSize = size_t{1} << 17;

// The same for both evaluators.
struct Answer {
  DecisionKind kind = DecisionKind::kBlock;
  std::vector<int32_t> rules;  // by their places

  bool operator==(const Answer&) const = default;
};

Answer AnswerOf(const Verdict& verdict) {
  Answer answer = {.kind = verdict.kind, .rules = {}};
  for (const Hit& hit : verdict.hits) {
    SGL_CHECK(hit.fault == Fault::kNone);
    answer.rules.push_back(hit.rule);
  }
  return answer;
}

Answer AnswerOf(const HandVerdict& verdict) {
  return {.kind = verdict.kind,
          .rules = {verdict.rules.begin(),
                    verdict.rules.begin() + verdict.rule_count}};
}

}  // namespace

std::shared_ptr<const Program> MustCompile(absl::string_view policy) {
  const std::vector<SourceFile> sources = {{"bench.sgl", std::string(policy)}};
  const Compilation compilation = Compile(sources, Zones());
  if (compilation.program == nullptr) {
    std::fputs(compilation.Render().c_str(), stderr);
    std::exit(1);
  }
  return compilation.program;
}

Lines::Lines(const Workload& workload) {
  for (const PlainRequest& request : workload.requests) {
    starts_.push_back(text_.size());
    text_ += request.line;
  }
  starts_.push_back(text_.size());
  text_.append(simdjson::SIMDJSON_PADDING, ' ');
}

Fixture::Fixture(WorkloadKind kind, int32_t rule_count)
    : Fixture(MakeWorkload(kind, rule_count)) {}

Fixture::Fixture(Workload workload)
    : workload_(std::move(workload)),
      program_(MustCompile(workload_.policy)),
      lines_(workload_) {
  for (const PlainRequest& plain : workload_.requests) {
    requests_.push_back(RequestOf(plain));
    hand_requests_.push_back(HandRequestOf(plain));
  }
  const WorkloadKind kind = workload_.kind;
  if (kind == WorkloadKind::kShared) {
    shared_ = std::make_unique<HandShared>(workload_);
  } else if (kind != WorkloadKind::kGuardrail) {
    scaled_ = std::make_unique<HandScaled>(workload_);
  }
  // Behind the last request was added, since each is viewed.
  RequestReader reader(*program_);
  for (const Request& request : requests_) {
    reader.Read(request, &parsed_.emplace_back());
  }
  std::mt19937_64 engine(kOrderSeed);
  for (size_t i = 0; i < kOrderSize; ++i) {
    order_.push_back(static_cast<uint32_t>(engine() % size()));
  }
  CheckAnswersAgree();
}

HandVerdict Fixture::DecideByHand(const HandRequest& request) const {
  if (scaled_ != nullptr) return scaled_->Decide(request);
  if (shared_ != nullptr) return shared_->Decide(request);
  return DecideGuardrail(request);
}

bool Fixture::ReadByHand(HandReader& reader, size_t place,
                         HandRequest& request) const {
  const simdjson::padded_string_view line = lines_.PaddedLine(place);
  return workload_.kind == WorkloadKind::kGuardrail
             ? reader.ReadGuardrail(line, request)
             : reader.ReadIndexed(line, request);
}

void Fixture::CheckAnswersAgree() const {
  HandReader hand_reader;
  RequestReader reader(*program_);
  ParsedRequest parsed;
  EvaluationContext context(*program_);
  std::vector<int64_t> counts(3);
  for (size_t i = 0; i < size(); ++i) {
    const std::string& text = workload_.requests[i].line;
    const Answer answer = AnswerOf(Evaluate(*program_, parsed_[i], context));
    ++counts[static_cast<size_t>(answer.kind)];
    SGL_CHECK(AnswerOf(DecideByHand(hand_requests_[i])) == answer) << text;

    SGL_CHECK(reader.ReadLine(lines_.Line(i), nullptr, &parsed).ok()) << text;
    SGL_CHECK(AnswerOf(Evaluate(*program_, parsed, context)) == answer) << text;

    HandRequest read;
    SGL_CHECK(ReadByHand(hand_reader, i, read)) << text;
    SGL_CHECK(AnswerOf(DecideByHand(read)) == answer) << text;
  }
  // A workload that always gives one answer would compare nothing.
  if (workload_.rules.size() != 1) {
    for (const int64_t count : counts) SGL_CHECK_GT(count, 0);
  }
}

const Fixture& FixtureOf(WorkloadKind kind, int32_t rule_count) {
  static auto* const mutex = new Mutex();
  static auto* const fixtures =
      new absl::flat_hash_map<std::pair<WorkloadKind, int32_t>,
                              std::unique_ptr<const Fixture>>();
  const MutexLock lock(*mutex);
  std::unique_ptr<const Fixture>& fixture = (*fixtures)[{kind, rule_count}];
  if (fixture == nullptr) fixture = std::make_unique<Fixture>(kind, rule_count);
  return *fixture;
}

}  // namespace sgl::bench
