#include "tools/sgl/command_line.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "policy/diagnostics/suggest.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) {
    names.push_back(verb->get_name());
  }
  return names;
}

// Returns every spelling of the verb's options: `--json`, `-w`.
std::vector<std::string> OptionNames(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back(absl::StrCat("--", name));
    }
    for (const std::string& name : option->get_snames()) {
      names.push_back(absl::StrCat("-", name));
    }
  }
  return names;
}

// Returns the verb that the first argument names, or null.
const CLI::App* FindVerb(const CLI::App& app,
                         const std::vector<std::string>& arguments) {
  for (const CLI::App* verb : app.get_subcommands({})) {
    if (!arguments.empty() && verb->get_name() == arguments[0]) return verb;
  }
  return nullptr;
}

std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates) {
  const std::string near = Suggest(word, candidates);
  return near.empty() ? "" : absl::StrCat("; did you mean `", near, "`?");
}

// Returns the first argument that looks like an option and is none of the
// verb's; empty where there is none. What stands behind `--` is no option.
std::string UnknownOption(const CLI::App& verb,
                          const std::vector<std::string>& arguments) {
  const std::vector<std::string> known = OptionNames(verb);
  for (const std::string& argument : arguments) {
    if (argument == "--") return "";
    if (argument.size() < 2 || argument[0] != '-') continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (std::find(known.begin(), known.end(), name) == known.end()) return name;
  }
  return "";
}

// Says what is wrong with the arguments of a verb that exists.
std::string DescribeMistake(const CLI::App& verb,
                            const std::vector<std::string>& arguments,
                            const CLI::ParseError& error) {
  const std::string option = UnknownOption(verb, arguments);
  if (!option.empty()) {
    return absl::StrCat("there is no option `", option, "`",
                        DidYouMean(option, OptionNames(verb)));
  }
  const std::string message = error.what();
  if (error.get_exit_code() ==
      static_cast<int>(CLI::ExitCodes::RequiredError)) {
    const std::string name = message.substr(0, message.find(' '));
    if (name == "--policy") return "name the policy: --policy PATH";
    return absl::StrCat(name, " is missing");
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    return absl::StrCat("there is an argument too many: ",
                        message.substr(message.rfind(": ") + 2));
  }
  return message.substr(0, message.find('\n'));
}

}  // namespace

std::optional<int> SettleVerb(const CLI::App& app,
                              std::vector<std::string>& arguments,
                              std::ostream& err) {
  if (arguments.empty()) {
    err << app.help();
    return kExitUsage;
  }
  if (arguments[0] == "help") {
    arguments.erase(arguments.begin());
    arguments.resize(std::min<size_t>(arguments.size(), 1));
    arguments.push_back("--help");
  }
  const std::string& verb = arguments[0];
  if (absl::StartsWith(verb, "-")) return std::nullopt;
  if (FindVerb(app, arguments) != nullptr) return std::nullopt;
  const std::string name = app.get_name();
  err << name << ": there is no verb `" << verb << "`"
      << DidYouMean(verb, VerbNames(app)) << "\n`" << name
      << " --help` lists them all\n";
  return kExitUsage;
}

std::vector<std::string> FromTheBack(
    const std::vector<std::string>& arguments) {
  return {arguments.rbegin(), arguments.rend()};
}

int ReportParseError(const CLI::App& app,
                     const std::vector<std::string>& arguments,
                     const CLI::ParseError& error, std::ostream& out,
                     std::ostream& err) {
  if (error.get_exit_code() == 0) {
    const bool is_help = error.get_name() == "CallForHelp";
    out << (is_help ? app.help() : absl::StrCat(error.what(), "\n"));
    return kExitOk;
  }
  const CLI::App* const verb = FindVerb(app, arguments);
  std::string name = app.get_name();
  std::vector<std::string> rest = arguments;
  if (verb != nullptr) {
    absl::StrAppend(&name, " ", verb->get_name());
    rest.erase(rest.begin());
  }
  err << name << ": "
      << DescribeMistake(verb == nullptr ? app : *verb, rest, error) << "\n`"
      << name << " --help` shows its options, and an example\n";
  return kExitUsage;
}

}  // namespace sgl::tools
