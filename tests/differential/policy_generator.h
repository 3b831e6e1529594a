// Random policy sets that compile: platform and tenant files with
// declarations, consts, defs and rules. A set keeps its items apart, so that
// one that fails can be made smaller.

#ifndef TESTS_DIFFERENTIAL_POLICY_GENERATOR_H_
#define TESTS_DIFFERENTIAL_POLICY_GENERATOR_H_

#include <string>
#include <vector>

#include "policy/policy.h"
#include "tests/differential/random.h"
#include "tests/differential/schema.h"

namespace sgl::tests {

// One file: its head line by line, and its items, each of which may be left
// out if the rest still compiles.
struct GeneratedFile {
  std::string name;
  std::string head;
  std::vector<std::string> items;
};

struct GeneratedPolicy {
  std::vector<GeneratedFile> files;
  Schema schema;

  std::vector<SourceFile> Sources() const;
};

GeneratedPolicy GeneratePolicy(Random& random);

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_POLICY_GENERATOR_H_
