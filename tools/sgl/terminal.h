// What people get to see on a terminal, and no file or program does: the
// colours of diagnostics. policy renders plain text; they are put on here.
//
//   err << ForStream(err, compilation.Render());

#ifndef TOOLS_SGL_TERMINAL_H_
#define TOOLS_SGL_TERMINAL_H_

#include <absl/strings/string_view.h>

#include <iosfwd>
#include <string>

namespace sgl::tools {

// Returns whether the stream is std::cout or std::cerr, and a terminal.
bool IsTerminal(const std::ostream& stream);

// Returns rendered diagnostics (policy/diagnostics/diagnostic.h) with colours:
// `error` and its carets red, `warning` yellow, `note` and `help` cyan. Source
// lines stay plain, and so does what is no diagnostic.
std::string Colored(absl::string_view rendered);

// Returns rendered diagnostics with colours where the stream is a terminal.
// With NO_COLOR set to anything, or TERM to `dumb`, they are plain there too.
std::string ForStream(const std::ostream& stream, const std::string& rendered);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_TERMINAL_H_
