// Random request lines for a generated policy: most fit its declarations, some
// are at their edges, some do not fit, and a few are no requests at all.

#ifndef TESTS_DIFFERENTIAL_REQUEST_GENERATOR_H_
#define TESTS_DIFFERENTIAL_REQUEST_GENERATOR_H_

#include <string>
#include <vector>

#include "tests/differential/random.h"
#include "tests/differential/schema.h"

namespace sgl::tests {

// Returns one line of JSON, or nearly JSON, without a newline.
std::string GenerateRequestLine(Random& random, const Schema& schema);

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_REQUEST_GENERATOR_H_
