// Looks for a policy text that the lexer, parser, checker or compiler can't
// stand, or on which the program and the reference evaluator decide a request
// differently. Texts need not be valid: every byte is tried.
//
//   tests/fuzz/run 600 policy
//
// A text may hold several files, apart by lines `----`. Each is tried as it is
// and, so that nearly every mutation of an item is worth something, as the
// items behind a header and some declarations.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "policy/eval/reference/reference.h"
#include "policy/policy.h"

namespace {

using sgl::Decision;

constexpr size_t kFilesMax = 3;

constexpr char kDeclarations[] = R"(policy a version 1
default allow
intent * { memo: string?, risk: int? }
intent PAY {
  to: string, amount: usd, part: decimal?, at: timestamp?, kind: enum(A, B),
  lines: list<{ sku: string, price: usd, tags: list<string>? }>?
}
)";

constexpr char kPayload[] = R"({"memo": "a", "to": "https://b.example",
"amount": 5, "part": 0.5, "at": "2026-01-31T00:00:00Z", "kind": "B",
"lines": [{"sku": "a", "price": 1, "tags": ["b"]}, {"sku": "", "price": 2}]})";

const sgl::Zones& LoadedZones() {
  static const auto* const kZones = [] {
    auto* const zones = new sgl::Zones;
    zones->by_name["UTC"] = absl::UTCTimeZone();
    zones->by_name["America/Chicago"] = absl::FixedTimeZone(-6 * 3600);
    return zones;
  }();
  return *kZones;
}

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

void CompareOn(const sgl::Program& program,
               const sgl::ReferencePolicy& reference, const std::string& type,
               const std::string& tenant) {
  sgl::Request request;
  request.intent.type = type;
  request.intent.spend_micros_usd = 250'000'000;
  request.tenant.slug = tenant;
  request.agent.known = true;
  request.agent.name = "a";
  for (const char* payload : {"{}", kPayload}) {
    request.intent.payload = payload;
    const Decision left = Evaluate(program, request);
    const Decision right = reference.Evaluate(request);
    const std::string difference = AgreementError(left, right);
    if (difference.empty()) continue;
    Fail(absl::StrCat(difference, "\nprogram:   ", DecisionToJson(left),
                      "\nreference: ", DecisionToJson(right)));
  }
}

void Try(const std::vector<sgl::SourceFile>& sources) {
  (void)ZonesNamed(sources);
  const sgl::Compilation compilation = Compile(sources, LoadedZones());
  if ((compilation.program == nullptr) != (compilation.error_count > 0)) {
    Fail("errors and a program, or neither");
  }
  if (compilation.Render().empty() !=
      (compilation.error_count + compilation.warning_count == 0)) {
    Fail("what was counted is not what is shown");
  }
  if (compilation.program == nullptr) return;
  const auto reference = sgl::ReferencePolicy::Create(sources, LoadedZones());
  if (reference == nullptr) Fail("only the program compiles");
  std::vector<std::string> types = compilation.program->intent_types();
  types.resize(std::min<size_t>(types.size(), 4));
  types.push_back("NOPE");
  std::vector<std::string> tenants = compilation.program->tenant_slugs();
  tenants.push_back("");
  for (const std::string& type : types) {
    for (const std::string& tenant : tenants) {
      CompareOn(*compilation.program, *reference, type, tenant);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<sgl::SourceFile> sources;
  const std::vector<absl::string_view> files = absl::StrSplit(
      text, absl::MaxSplits("\n----\n", static_cast<int>(kFilesMax) - 1));
  for (const absl::string_view file : files) {
    sources.push_back(
        {absl::StrCat("f", sources.size(), ".sgl"), std::string(file)});
  }
  Try(sources);
  sources[0].text.insert(0, kDeclarations);
  Try(sources);
  return 0;
}
