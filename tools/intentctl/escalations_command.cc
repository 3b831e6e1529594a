// `intentctl escalations …`: which role may vote when another did not in time.
// On DIRECT_URL.

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "storage/escalations.h"
#include "storage/identity.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

using storage::EscalationRule;
using storage::Transaction;

struct RuleFlags {
  std::string url;
  std::string tenant_slug;
  std::string after;
  EscalationRule rule;
  bool json = false;
};

// Runs `body` for the tenant that the flags name.
absl::Status InTenant(
    const RuleFlags& flags,
    const std::function<absl::Status(Transaction&, const std::string&)>& body) {
  return InTransaction(flags.url, [&](Transaction& tx) {
    const absl::StatusOr<std::string> tenant =
        storage::FindTenant(tx, flags.tenant_slug);
    return tenant.ok() ? body(tx, *tenant) : tenant.status();
  });
}

int Set(const RuleFlags& flags) {
  EscalationRule rule = flags.rule;
  if (!absl::ParseDuration(flags.after, &rule.after)) {
    return ReportError(
        "set escalation",
        absl::InvalidArgumentError(absl::StrCat(
            "`", flags.after, "` is no duration such as 30m, 4h or 36h")));
  }
  const absl::Status done =
      InTenant(flags, [&](Transaction& tx, const std::string& tenant_id) {
        return storage::SetEscalationRule(tx, tenant_id, rule);
      });
  if (!done.ok()) return ReportError("set escalation", done);
  std::cout << "demands for " << rule.from_role << " accept " << rule.to_role
            << " when nobody voted for " << absl::FormatDuration(rule.after)
            << "\n";
  return kExitOk;
}

int Remove(const RuleFlags& flags) {
  const absl::Status done =
      InTenant(flags, [&](Transaction& tx, const std::string& tenant_id) {
        return storage::RemoveEscalationRule(tx, tenant_id, flags.rule);
      });
  if (!done.ok()) return ReportError("remove escalation", done);
  std::cout << "removed; memos that were escalated stay so\n";
  return kExitOk;
}

int List(const RuleFlags& flags) {
  std::vector<EscalationRule> rules;
  const absl::Status done =
      InTenant(flags, [&](Transaction& tx, const std::string& tenant_id) {
        absl::StatusOr<std::vector<EscalationRule>> listed =
            storage::ListEscalationRules(tx, tenant_id);
        if (listed.ok()) rules = *std::move(listed);
        return listed.status();
      });
  if (!done.ok()) return ReportError("list escalations", done);
  for (const EscalationRule& rule : rules) {
    const std::string after = absl::FormatDuration(rule.after);
    if (flags.json) {
      const nlohmann::ordered_json line = {{"from_role", rule.from_role},
                                           {"to_role", rule.to_role},
                                           {"after", after}};
      std::cout << line.dump() << "\n";
    } else {
      std::cout << rule.from_role << " -> " << rule.to_role << " after "
                << after << "\n";
    }
  }
  return kExitOk;
}

// Adds a verb with what all of them take.
CLI::App* AddVerb(CLI::App& noun, const char* name, const char* help,
                  const std::shared_ptr<RuleFlags>& flags) {
  CLI::App* verb = noun.add_subcommand(name, help);
  AddDirectUrl(*verb, flags->url);
  verb->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  return verb;
}

void AddRoles(CLI::App& verb, EscalationRule& rule) {
  verb.add_option("--from", rule.from_role, "the role that a demand names")
      ->required();
  verb.add_option("--to", rule.to_role, "the role that may vote then too")
      ->required();
}

}  // namespace

void AddEscalationsCommand(CLI::App& app, Run& run) {
  CLI::App* noun = app.add_subcommand(
      "escalations", "which role may vote when another did not in time");
  noun->require_subcommand(1);
  auto flags = std::make_shared<RuleFlags>();

  CLI::App* set = AddVerb(*noun, "set", "make a rule, or change it", flags);
  set->footer(
      "example:\n  intentctl escalations set --tenant acme --from compliance "
      "--to owner --after 4h");
  AddRoles(*set, flags->rule);
  set->add_option("--after", flags->after,
                  "how long nobody voted: 1m to 8760h, in whole seconds")
      ->required();
  set->callback([&run, flags] { run = [flags] { return Set(*flags); }; });

  CLI::App* list = AddVerb(*noun, "list", "list a tenant's rules", flags);
  list->footer("example:\n  intentctl escalations list --tenant acme");
  list->add_flag("--json", flags->json, "print JSON");
  list->callback([&run, flags] { run = [flags] { return List(*flags); }; });

  CLI::App* remove = AddVerb(*noun, "remove", "end a rule", flags);
  remove->footer(
      "example:\n  intentctl escalations remove --tenant acme --from "
      "compliance --to owner");
  AddRoles(*remove, flags->rule);
  remove->callback([&run, flags] { run = [flags] { return Remove(*flags); }; });
}

}  // namespace sgl::tools
