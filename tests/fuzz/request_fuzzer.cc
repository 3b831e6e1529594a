// Looks for a request line that can't be read or decided, that the program and
// the reference evaluator read or decide differently, or that the fast reader
// reads differently from the exact one, by the shipped platform policy and by
// one that declares a field of every type.
//
//   tests/fuzz/run 600 request

#include <absl/strings/string_view.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "policy/eval/facts_difference.h"
#include "policy/policy.h"
#include "tests/differential/pair.h"

namespace {

using sgl::tests::BothPolicies;

// Files relative to the checkout, where tests/fuzz/run starts the fuzzer.
constexpr const char* kPolicies[] = {"policy/library/atlas.sgl",
                                     "tests/fuzz/every_type.sgl"};

const std::vector<BothPolicies>& Policies() {
  static const auto* const kCompiled = [] {
    auto* const compiled = new std::vector<BothPolicies>;
    for (const char* path : kPolicies) {
      std::ostringstream text;
      text << std::ifstream(path).rdbuf();
      const std::vector<sgl::SourceFile> sources = {{path, text.str()}};
      compiled->push_back(sgl::tests::CompileBoth(sources));
      if (compiled->back().program != nullptr) continue;
      std::fprintf(stderr, "%s\nrun it from the top of the checkout\n",
                   compiled->back().diagnostics.c_str());
      std::exit(1);
    }
    return compiled;
  }();
  return *kCompiled;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  for (const BothPolicies& both : Policies()) {
    std::string difference = CompareOnLine(both, line);
    if (difference.empty()) {
      difference = sgl::ReaderPair(both.program->compiled()).Difference(line);
    }
    if (difference.empty()) continue;
    std::fprintf(stderr, "%s\n", difference.c_str());
    std::abort();
  }
  return 0;
}
