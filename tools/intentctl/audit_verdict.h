// What `intentctl audit verify` says about a log, in words or JSON and by its
// exit status: intact, tampered with, or can't tell. Nothing is called intact
// of which a part could not be looked at.

#ifndef TOOLS_INTENTCTL_AUDIT_VERDICT_H_
#define TOOLS_INTENTCTL_AUDIT_VERDICT_H_

#include <absl/status/status.h>

#include <string>

#include "engine/audit_verifier.h"
#include "tools/intentctl/client.h"

namespace sgl::tools {

// What verify answers where nothing is known to be wrong and not all could be
// looked at.
inline constexpr int kExitCantTell = kExitUsage;

// Everything that verify has to say about one log.
struct Verdict {
  // Empty: nothing of it was sealed, so that the server could not name it.
  std::string log_id = {};
  engine::AuditReport report = {};
  // Heads of this log, kept outside, were given.
  bool has_heads = false;
  bool has_keys = false;
  // What could not be looked at, a sentence; empty for nothing.
  std::string doubt = {};

  // Signatures cover all that is sealed, or nobody asked for them.
  bool IsSigned() const;
  int ExitStatus() const;
};

// Prints the verdict; returns its exit status.
int Conclude(const Client& client, const Verdict& verdict);

// Prints why nothing can be told; returns that exit status.
int CantTell(const absl::Status& status);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_AUDIT_VERDICT_H_
