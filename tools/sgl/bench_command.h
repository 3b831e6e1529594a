// The work of `sgl bench`, apart from the command line.

#ifndef TOOLS_SGL_BENCH_COMMAND_H_
#define TOOLS_SGL_BENCH_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

struct BenchOptions {
  // Files, or folders of .sgl files: one policy set.
  std::vector<std::string> policies = {};
  // A file of requests, one a line; standard input where empty or `-`.
  std::string input = {};
  bool is_json = false;
};

// Prints on `out` what the policy's decisions on the requests cost; `in` stands
// for standard input. What is wrong with the policy, a file or a line goes to
// `err`. Returns the exit status.
int RunBench(const BenchOptions& options, std::istream& in, std::ostream& out,
             std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_BENCH_COMMAND_H_
