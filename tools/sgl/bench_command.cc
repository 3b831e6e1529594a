// sgl bench: what an author's own policy costs on the author's own requests.

#include "tools/sgl/bench_command.h"

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

constexpr char kHelp[] =
    "Measures what a policy's decisions on given requests cost.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl bench --policy policy.sgl --input requests.jsonl\n"
    "  sgl bench --policy policy.sgl --input requests.jsonl --json\n"
    "\n"
    "Times one thread, walking the requests in a random order: from requests\n"
    "that are decoded already, and from the bytes of their lines. A time is\n"
    "the median of several rounds; program_bytes is the heap that the "
    "compiled\n"
    "policy keeps. Limits count from nothing in each decision.\n"
    "\n"
    "exit status: 0 measured, 1 an error in the policy or a line, 2 bad usage";

// A time is the median of so many rounds, each at least so long: under two
// seconds in all.
constexpr int kRounds = 9;
constexpr double kRoundNanoseconds = 100e6;
constexpr int kCompilations = 3;

// Decisions in the order that is walked again and again; long, so that the
// processor does not learn the branches of a few requests by heart.
constexpr size_t kOrderSize = 1 << 16;

struct Measures {
  size_t rules = 0;
  size_t requests = 0;
  double ns_parsed = 0;
  double ns_json = 0;
  double compile_ms = 0;
  int64_t program_bytes = 0;
};

// What this process has taken of a processor. Waiting while others use it does
// not count, so that figures hold on a busy machine too.
double ProcessorNanoseconds() {
  return static_cast<double>(std::clock()) * (1e9 / CLOCKS_PER_SEC);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int64_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

std::vector<size_t> RandomOrder(size_t count) {
  std::mt19937_64 engine(1);
  std::vector<size_t> order(std::max(count, kOrderSize));
  for (size_t i = 0; i < order.size(); ++i) order[i] = i % count;
  std::shuffle(order.begin(), order.end(), engine);
  return order;
}

// Returns the ns that `decide` takes for one request of the order.
double TimeRound(const std::vector<size_t>& order,
                 absl::FunctionRef<void(size_t)> decide) {
  constexpr size_t kStride = 256;  // Decisions between looks at the clock.
  const double begin = ProcessorNanoseconds();
  size_t decided = 0;
  double took = 0;
  while (took < kRoundNanoseconds) {
    for (size_t i = 0; i < kStride; ++i) {
      decide(order[decided++ % order.size()]);
    }
    took = ProcessorNanoseconds() - begin;
  }
  return took / static_cast<double>(decided);
}

// A program, what compiling it took, and the heap that it keeps.
struct Compiled {
  Compilation compilation;
  double ms = 0;
  int64_t bytes = 0;
};

Compiled CompileTimed(const std::vector<SourceFile>& sources) {
  const Zones zones = LoadZones(ZonesNamed(sources));
  Compiled compiled;
  std::vector<double> times;
  for (int i = 0; i < kCompilations; ++i) {
    compiled.compilation = {};
    const int64_t before = HeapBytes();
    const double begin = ProcessorNanoseconds();
    compiled.compilation = Compile(sources, zones);
    times.push_back((ProcessorNanoseconds() - begin) / 1e6);
    compiled.compilation.tests = {};
    compiled.compilation.findings = {};
    compiled.bytes = HeapBytes() - before;
    if (compiled.compilation.program == nullptr) break;
  }
  compiled.ms = Median(times);
  return compiled;
}

// Reads all lines. Says on `err` which are no requests, and returns nothing
// then, or where there is none.
std::vector<std::string> ReadLines(std::istream& input, std::ostream& err) {
  std::vector<std::string> lines;
  std::string line;
  bool is_wrong = false;
  while (std::getline(input, line)) {
    const absl::Status status = RequestLine::Read(line).status();
    if (!status.ok()) {
      err << "sgl bench: line " << lines.size() + 1 << ": " << status.message()
          << "\n";
      is_wrong = true;
    }
    lines.push_back(line);
  }
  if (lines.empty()) err << "sgl bench: the input has no requests\n";
  if (is_wrong) lines.clear();
  return lines;
}

// REQUIRES: every line can be read.
void TimeDecisions(const Program& program,
                   const std::vector<std::string>& lines, Measures& measures) {
  const LimitLedger nothing_counted;
  RequestReader reader(program);
  ParsedRequest read;
  std::vector<ParsedRequest> parsed(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::Status status =
        reader.ReadLine(lines[i], &nothing_counted, &parsed[i]);
    SGL_CHECK(status.ok()) << status.message();
  }
  EvaluationContext context(program);
  const std::vector<size_t> order = RandomOrder(lines.size());
  std::vector<double> from_parsed;
  std::vector<double> from_json;
  // In turns, so that a slow moment of the machine meets both.
  for (int round = 0; round < kRounds; ++round) {
    from_parsed.push_back(TimeRound(order, [&](size_t place) {
      Evaluate(program, parsed[place], context);
    }));
    from_json.push_back(TimeRound(order, [&](size_t place) {
      const absl::Status status =
          reader.ReadLine(lines[place], &nothing_counted, &read);
      SGL_CHECK(status.ok()) << status.message();
      Evaluate(program, read, context);
    }));
  }
  measures.ns_parsed = Median(from_parsed);
  measures.ns_json = Median(from_json);
}

std::string RenderJson(const Measures& measures) {
  return absl::StrFormat(
      "{\"rules\": %d, \"requests\": %d, \"ns_per_decision_parsed\": %.1f, "
      "\"ns_per_decision_json\": %.1f, \"compile_ms\": %.3f, "
      "\"program_bytes\": %d}\n",
      measures.rules, measures.requests, measures.ns_parsed, measures.ns_json,
      measures.compile_ms, measures.program_bytes);
}

std::string RenderText(const Measures& measures) {
  const auto line = [](const char* name, double ns) {
    return absl::StrFormat("%-16s %10.1f ns a decision %12.0f decisions/s\n",
                           name, ns, 1e9 / ns);
  };
  return absl::StrCat(
      absl::StrFormat("%-16s %10d\n", "rules", measures.rules),
      absl::StrFormat("%-16s %10d\n", "requests", measures.requests),
      absl::StrFormat("%-16s %10.3f ms\n", "compiling", measures.compile_ms),
      absl::StrFormat("%-16s %10d bytes\n", "program", measures.program_bytes),
      line("from parsed", measures.ns_parsed),
      line("from JSON bytes", measures.ns_json));
}

}  // namespace

int RunBench(const BenchOptions& options, std::istream& in, std::ostream& out,
             std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(options.policies);
  if (!sources.ok()) {
    err << "sgl bench: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  std::ifstream file;
  if (!options.input.empty() && options.input != "-") {
    file.open(options.input, std::ios::binary);
    if (!file.is_open()) {
      err << "sgl bench: can't read `" << options.input << "`\n";
      return kExitUsage;
    }
  }
  const Compiled compiled = CompileTimed(*sources);
  err << ForStream(err, compiled.compilation.Render());
  if (compiled.compilation.program == nullptr) return kExitWrong;
  const Program& program = *compiled.compilation.program;
  const std::vector<std::string> lines =
      ReadLines(file.is_open() ? file : in, err);
  if (lines.empty()) return kExitWrong;
  Measures measures = {.rules = program.rules().size(),
                       .requests = lines.size(),
                       .compile_ms = compiled.ms,
                       .program_bytes = compiled.bytes};
  TimeDecisions(program, lines, measures);
  out << (options.is_json ? RenderJson(measures) : RenderText(measures));
  return kExitOk;
}

void AddBenchCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* const command = app.add_subcommand("bench", kHelp);
  command
      ->add_option("--policy", options->policies,
                   "a .sgl file or a folder of them; may be repeated")
      ->required()
      ->type_name("PATH");
  command
      ->add_option("--input", options->input,
                   "requests, one a line; standard input where left out")
      ->type_name("FILE");
  command->add_flag("--json", options->is_json, "print one line of JSON");
  command->footer(kFooter);
  command->callback([options, &run] {
    run = [options] {
      return RunBench(*options, std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace sgl::tools
