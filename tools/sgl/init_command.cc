// sgl init: a policy to start from.

#include "tools/sgl/init_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kHelp[] =
    "examples:\n"
    "  sgl init                 # into this folder\n"
    "  sgl init refunds         # into a folder of that name\n"
    "\n"
    "Writes policy.sgl, a small policy with its tests, and requests.jsonl,\n"
    "requests to try it with. Overwrites nothing.\n"
    "\n"
    "exit status: 0 written, 2 a file is there already or can't be written";

constexpr char kPolicyName[] = "policy.sgl";
constexpr char kPolicy[] =
    R"sgl(// Who may refund how much. Change it, then: sgl test --coverage .
policy shop.refunds version 1
layer platform
default block

intent REFUND { order: string, amount: usd }

// The first and the last hour are both in the range.
def is_daytime = hour(now, "Europe/Berlin") in 6..21

block NIGHT "no refunds at night"
  on REFUND
  when not is_daytime
block TOO_LARGE "${payload.amount} is above $500"
  on REFUND
  when payload.amount > $500
review LARGE "${payload.amount} for order ${payload.order}"
  on REFUND
  when payload.amount > $50
  risk 2
  approvals 1 from support_lead within 4h
allow SMALL on REFUND when agent.role == "support"

limit HOURLY "more than 2 refunds within an hour"
  2 per agent per 1h on REFUND
  else review

test "a small refund passes, a large one waits, a huge one is blocked" {
  given {
    intent: { type: REFUND, payload: { order: "A1", amount: $50 } },
    agent: { role: "support" },
    now: 2026-03-02T12:00:00Z
  }
  expect allow [SMALL]
  given {
    intent: { type: REFUND, payload: { order: "A2", amount: $500 } },
    agent: { role: "support" },
    now: 2026-03-02T12:00:00Z
  }
  expect review [LARGE]
  given {
    intent: { type: REFUND, payload: { order: "A3", amount: $500.01 } },
    agent: { role: "support" },
    now: 2026-03-02T12:00:00Z
  }
  expect block [TOO_LARGE]
}
test "the third within an hour waits" {
  given {
    intent: { type: REFUND, payload: { order: "B1", amount: $5 } },
    agent: { id: "a1", role: "support" },
    now: 2026-03-02T12:00:00Z
  }
  expect allow
  given {
    intent: { type: REFUND, payload: { order: "B2", amount: $5 } },
    agent: { id: "a1", role: "support" },
    now: 2026-03-02T12:10:00Z
  }
  expect allow
  given {
    intent: { type: REFUND, payload: { order: "B3", amount: $5 } },
    agent: { id: "a1", role: "support" },
    now: 2026-03-02T12:20:00Z
  }
  expect review [HOURLY]
}
test "nobody refunds at night, and only support does by day" {
  given {
    intent: { type: REFUND, payload: { order: "A4", amount: $5 } },
    agent: { role: "support" },
    now: 2026-03-02T22:30:00Z
  }
  expect block [NIGHT]
  given {
    intent: { type: REFUND, payload: { order: "A5", amount: $5 } },
    agent: { role: "sales" },
    now: 2026-03-02T12:00:00Z
  }
  expect block [DEFAULT]
}

assert "what is above $50 is never refunded unseen"
  on REFUND when payload.amount > $50: decision != allow
)sgl";

constexpr char kRequestsName[] = "requests.jsonl";
constexpr char kRequests[] =
    R"({"intent": {"type": "REFUND", )"
    R"("payload": {"order": "A1", "amount": 20}}, )"
    R"("agent": {"role": "support"}, "now": "2026-03-02T12:00:00Z"})"
    "\n"
    R"({"intent": {"type": "REFUND", )"
    R"("payload": {"order": "A2", "amount": 120}}, )"
    R"("agent": {"role": "support"}, "now": "2026-03-02T12:05:00Z"})"
    "\n"
    R"({"intent": {"type": "REFUND", )"
    R"("payload": {"order": "A3", "amount": 20}}, )"
    R"("agent": {"role": "support"}, "now": "2026-03-02T23:00:00Z"})"
    "\n";

bool Write(const fs::path& path, const char* text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace

int RunInit(const std::string& folder, std::ostream& out, std::ostream& err) {
  std::error_code error;
  fs::create_directories(folder, error);
  // Without `./` in front: what is printed is what people type.
  const fs::path root = folder == "." ? fs::path() : fs::path(folder);
  const fs::path policy = root / kPolicyName;
  const fs::path requests = root / kRequestsName;
  for (const fs::path& path : {policy, requests}) {
    if (!fs::exists(fs::symlink_status(path, error))) continue;
    err << "sgl init: `" << path.string() << "` is there already\n";
    return kExitUsage;
  }
  if (!Write(policy, kPolicy) || !Write(requests, kRequests)) {
    err << "sgl init: can't write into `" << folder << "`\n";
    return kExitUsage;
  }
  out << "wrote " << policy.string() << " and " << requests.string()
      << "\nnext: sgl test --coverage " << policy.string() << "\n";
  return kExitOk;
}

void AddInitCommand(CLI::App& app, Run& run) {
  const auto folder = std::make_shared<std::string>(".");
  CLI::App* const command = app.add_subcommand(
      "init", "Writes a small policy with tests to start from.");
  command->add_option("FOLDER", *folder, "where to; this folder where left out")
      ->type_name("");
  command->footer(kHelp);
  command->callback([folder, &run] {
    run = [folder] { return RunInit(*folder, std::cout, std::cerr); };
  });
}

}  // namespace sgl::tools
