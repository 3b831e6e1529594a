// `intentctl audit verify`: a log recomputed and held against what was kept
// outside it. From DIRECT_URL or an export everything is computed here and no
// server is trusted. Over gRPC the server computes, and is held to what it
// can't make up: signatures, and the proof that a head from outside is the
// beginning of its log.

#ifndef TOOLS_INTENTCTL_AUDIT_VERIFY_H_
#define TOOLS_INTENTCTL_AUDIT_VERIFY_H_

#include <string>
#include <vector>

#include "tools/intentctl/audit_source.h"
#include "tools/intentctl/client.h"

namespace sgl::tools {

struct VerifyFlags {
  LogFlags log;
  std::string export_folder;
  std::string heads_path;
  // A head's line of JSON, or @FILE.
  std::string head_line;
  std::vector<std::string> key_paths;
};

// Verifies, prints the verdict and returns its exit status.
int Verify(const Client& client, const VerifyFlags& flags);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_AUDIT_VERIFY_H_
