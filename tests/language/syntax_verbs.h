// The verbs of the golden files that look at one phase.
//
//   lex     prints the tokens of its input, one a line with its bytes, then
//           what was reported.
//   parse   prints the syntax tree, then what was reported.
//   format  prints the file in its layout, or what was reported.

#ifndef TESTS_LANGUAGE_SYNTAX_VERBS_H_
#define TESTS_LANGUAGE_SYNTAX_VERBS_H_

#include <string>

namespace sgl::tests {

std::string RunLex(const std::string& input);
std::string RunParse(const std::string& input);
std::string RunFormat(const std::string& input);

}  // namespace sgl::tests

#endif  // TESTS_LANGUAGE_SYNTAX_VERBS_H_
