// The command line of sgl, apart from main: what is wrong with one is said in
// a line, with the word that was probably meant and where to look.
//
//   std::vector<std::string> arguments(argv + 1, argv + argc);
//   std::optional<int> status = SettleVerb(app, arguments, std::cerr);
//   if (status.has_value()) return *status;
//   try {
//     app.parse(FromTheBack(arguments));
//   } catch (const CLI::ParseError& error) {
//     return ReportParseError(app, arguments, error, std::cout, std::cerr);
//   }

#ifndef TOOLS_SGL_COMMAND_LINE_H_
#define TOOLS_SGL_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace sgl::tools {

// Turns `help` and `help VERB` into the option. Returns the exit status where
// there is no verb to parse: none at all, or one that nobody knows.
std::optional<int> SettleVerb(const CLI::App& app,
                              std::vector<std::string>& arguments,
                              std::ostream& err);

// Returns the arguments in the order in which CLI11 takes them.
std::vector<std::string> FromTheBack(const std::vector<std::string>& arguments);

// Writes what ended the parse: help and the version to `out`, a mistake to
// `err`. Returns the exit status.
int ReportParseError(const CLI::App& app,
                     const std::vector<std::string>& arguments,
                     const CLI::ParseError& error, std::ostream& out,
                     std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_COMMAND_LINE_H_
