// The work of `sgl test`, apart from the command line, so that tests run it.

#ifndef TOOLS_SGL_TEST_COMMAND_H_
#define TOOLS_SGL_TEST_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

struct TestOptions {
  std::vector<std::string> paths;
  bool with_coverage = false;
  // Only the tests whose names contain it; all where empty.
  std::string run = "";
  // One JSON object, coverage included, in place of text.
  bool as_json = false;
  // A JUnit XML file to write besides; none where empty.
  std::string junit = "";
};

// Runs the tests of the policy set in `paths`. The report goes to `out`;
// errors and warnings of the policy go to `err`. Returns the exit status: a
// failed test and a policy with errors are both 1.
int RunTest(const TestOptions& options, std::ostream& out, std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_TEST_COMMAND_H_
