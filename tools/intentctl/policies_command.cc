// `intentctl policies …`: versions of the platform's rules and of a tenant's
// layer, from the file to the active version.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "engine/policy_activation.h"
#include "engine/policy_files.h"
#include "storage/uuid.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"
#include "tools/intentctl/print.h"
#include "tools/intentctl/replay_command.h"
#include "tools/intentctl/scope_flags.h"

namespace sgl::tools {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::Policy;
using intent::v1::PolicyReport;

// The server answers 200 at most.
constexpr int kPageMax = 200;

struct FileFlags {
  ScopeFlags whose;
  std::vector<std::string> paths;
  std::string description;
};

// Reads the files that the paths name into a request's sources.
absl::Status ReadSources(
    const std::vector<std::string>& paths,
    google::protobuf::RepeatedPtrField<intent::v1::PolicySource>* sources) {
  const absl::StatusOr<std::vector<SourceFile>> files =
      engine::ReadPolicyFiles(paths);
  if (!files.ok()) return files.status();
  for (const SourceFile& file : *files) {
    intent::v1::PolicySource* source = sources->Add();
    source->set_name(file.name);
    source->set_text(file.text);
  }
  return absl::OkStatus();
}

void PrintReport(const PolicyReport& report) {
  PrintLine("rules", absl::StrCat(report.rule_count()));
  PrintLine("tests", absl::StrCat(report.test_count(), ", ",
                                  report.failed_test_count(), " failed"));
  for (const auto& failure : report.failures()) {
    PrintLine("failed", absl::StrCat(failure.at(), ": \"", failure.test(),
                                     "\": expected ", failure.expected(),
                                     ", got ", failure.got()));
  }
  if (report.warning_count() > 0) {
    PrintLine("warnings", absl::StrCat(report.warning_count()));
  }
  PrintLine("obstacle", report.obstacle());
}

void PrintPolicy(const Policy& policy) {
  std::cout << (policy.scope() == intent::v1::POLICY_SCOPE_TENANT
                    ? "tenant's layer "
                    : "platform's policy ")
            << policy.digest() << "\n";
  PrintLine("author", policy.author());
  PrintLine("proposed", TimeUtil::ToString(policy.create_time()));
  PrintLine("description", policy.description());
  PrintReport(policy.report());
  if (!policy.active()) return;
  PrintLine("active",
            absl::StrCat("since ", TimeUtil::ToString(policy.activate_time()),
                         ", by ", policy.activated_by()));
  PrintLine("intent", policy.intent_id());
}

int Check(const Client& client, const FileFlags& flags) {
  intent::v1::CheckPolicyRequest request;
  request.set_scope(flags.whose.scope());
  const absl::Status read = ReadSources(flags.paths, request.mutable_sources());
  if (!read.ok()) return ReportError("check policy", read);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("check policy", connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::CheckPolicyResponse response;
  const grpc::Status status =
      connection->policies->CheckPolicy(&context, request, &response);
  if (!status.ok()) return ReportError("check policy", status);
  const int exit = response.report().obstacle().empty() ? kExitOk : kExitFailed;
  if (client.json) {
    PrintJson(response);
    return exit;
  }
  for (const auto& diagnostic : response.diagnostics()) {
    std::cerr << diagnostic.rendered();
  }
  std::cout << response.digest() << "\n";
  PrintReport(response.report());
  return exit;
}

int Propose(const Client& client, const FileFlags& flags) {
  intent::v1::ProposePolicyRequest request;
  request.set_scope(flags.whose.scope());
  request.set_description(flags.description);
  const absl::Status read = ReadSources(flags.paths, request.mutable_sources());
  if (!read.ok()) return ReportError("propose policy", read);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("propose policy", connection.status());
  }
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::ProposePolicyResponse response;
  const grpc::Status status =
      connection->policies->ProposePolicy(&context, request, &response);
  if (!status.ok()) return ReportError("propose policy", status);
  if (client.json) {
    PrintJson(response);
    return kExitOk;
  }
  PrintPolicy(response.policy());
  if (response.existed()) std::cerr << "these files were stored before\n";
  return kExitOk;
}

struct ListFlags {
  ScopeFlags whose;
  int limit = 50;
};

int List(const Client& client, const ListFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("list policies", connection.status());
  }
  intent::v1::ListPoliciesRequest request;
  request.mutable_filter()->set_scope(flags.whose.scope());
  for (int left = flags.limit; left > 0;) {
    request.set_page_size(std::min(left, kPageMax));
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::ListPoliciesResponse response;
    const grpc::Status status =
        connection->policies->ListPolicies(&context, request, &response);
    if (!status.ok()) return ReportError("list policies", status);
    for (const Policy& policy : response.policies()) {
      if (client.json) {
        PrintJson(policy);
        continue;
      }
      std::cout << absl::StreamFormat("%s  %-6s  %s  ", policy.digest(),
                                      policy.active() ? "active" : "",
                                      TimeUtil::ToString(policy.create_time()));
      std::cout << Printable(policy.author())
                << (policy.description().empty() ? "" : ": ")
                << Printable(policy.description()) << "\n";
    }
    left -= response.policies_size();
    if (response.next_page_token().empty()) return kExitOk;
    request.set_page_token(response.next_page_token());
  }
  std::cerr << "there are more; --limit raises how many are shown\n";
  return kExitOk;
}

struct ShowFlags {
  ScopeFlags whose;
  std::string digest;
  bool sources = false;
};

int Show(const Client& client, const ShowFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("show policy", connection.status());
  intent::v1::GetPolicyRequest request;
  request.set_scope(flags.whose.scope());
  request.set_digest(flags.digest);
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::GetPolicyResponse response;
  const grpc::Status status =
      connection->policies->GetPolicy(&context, request, &response);
  if (!status.ok()) return ReportError("show policy", status);
  if (client.json) {
    PrintJson(response.policy());
    return kExitOk;
  }
  PrintPolicy(response.policy());
  for (const auto& source : response.policy().sources()) {
    PrintLine("file", absl::StrCat(source.name(), ", ", source.text().size(),
                                   " bytes"));
  }
  if (!flags.sources) return kExitOk;
  for (const auto& source : response.policy().sources()) {
    std::cout << "\n// " << Printable(source.name()) << "\n";
    for (const absl::string_view line : absl::StrSplit(source.text(), '\n')) {
      std::cout << Printable(line) << "\n";
    }
  }
  return kExitOk;
}

struct ActivateFlags {
  ScopeFlags whose;
  std::string digest;
  std::string rationale;
  std::string request_id;
  bool allow_broken_layers = false;
  bool break_glass = false;
  std::string reason;
  std::string direct_url;
};

int BreakGlass(const ActivateFlags& flags) {
  if (flags.reason.empty() || flags.direct_url.empty()) {
    std::cerr << "error: --break-glass needs --reason, and --direct-url or "
                 "DIRECT_URL\n";
    return kExitUsage;
  }
  const absl::Status done =
      WithDatabase(flags.direct_url, [&](storage::Database& db) {
        return engine::BreakGlass(db, flags.digest, flags.reason);
      });
  if (!done.ok()) return ReportError("activate policy", done);
  std::cout << flags.digest << " is active; the audit log holds that and why\n";
  return kExitOk;
}

int Activate(const Client& client, const ActivateFlags& flags) {
  if (flags.break_glass) return BreakGlass(flags);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("activate policy", connection.status());
  }
  intent::v1::ActivatePolicyRequest request;
  request.set_request_id(flags.request_id.empty() ? storage::NewUuid()
                                                  : flags.request_id);
  request.set_scope(flags.whose.scope());
  request.set_digest(flags.digest);
  request.set_rationale(flags.rationale);
  request.set_allow_broken_layers(flags.allow_broken_layers);
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::ActivatePolicyResponse response;
  const grpc::Status status =
      connection->policies->ActivatePolicy(&context, request, &response);
  if (!status.ok()) return ReportError("activate policy", status);
  if (client.json) {
    PrintJson(response);
    return kExitOk;
  }
  if (!response.has_intent()) {
    PrintPolicy(response.policy());
    return kExitOk;
  }
  PrintIntent(response.intent());
  if (!response.intent().decision_memo_id().empty()) {
    std::cout << "two others who hold the role `policy` approve it:\n"
              << "  intentctl memos approve "
              << response.intent().decision_memo_id() << "\n";
  }
  return kExitOk;
}

// Whose token of a ready file the verbs take by default.
void UseApprover(Client& client) {
  if (client.principal.empty()) client.principal = "approver";
}

void AddFileVerbs(CLI::App& policies, Client& client, Run& run) {
  auto check_flags = std::make_shared<FileFlags>();
  CLI::App* check = policies.add_subcommand(
      "check", "compile and test rule files on the server; stores nothing");
  check->footer("example:\n  intentctl policies check policies/");
  check_flags->whose.Add(*check);
  check->add_option("PATH", check_flags->paths, "files, or folders of .sgl")
      ->required();
  check->callback([&client, &run, check_flags] {
    UseApprover(client);
    run = [&client, check_flags] { return Check(client, *check_flags); };
  });

  auto propose_flags = std::make_shared<FileFlags>();
  CLI::App* propose =
      policies.add_subcommand("propose", "store rule files as a version");
  propose->footer(
      "example:\n  intentctl policies propose policies/ --description 'lower "
      "limits for wires'");
  propose_flags->whose.Add(*propose);
  propose->add_option("PATH", propose_flags->paths, "files, or folders of .sgl")
      ->required();
  propose->add_option("--description", propose_flags->description,
                      "what changes and why");
  propose->callback([&client, &run, propose_flags] {
    UseApprover(client);
    run = [&client, propose_flags] { return Propose(client, *propose_flags); };
  });
}

void AddReadVerbs(CLI::App& policies, Client& client, Run& run) {
  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list =
      policies.add_subcommand("list", "list versions, newest first");
  list->footer("example:\n  intentctl policies list --tenant");
  list_flags->whose.Add(*list);
  list->add_option("--limit", list_flags->limit, "how many at most")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  list->callback([&client, &run, list_flags] {
    UseApprover(client);
    run = [&client, list_flags] { return List(client, *list_flags); };
  });

  auto show_flags = std::make_shared<ShowFlags>();
  CLI::App* show = policies.add_subcommand("show", "show one version");
  show->footer("example:\n  intentctl policies show --sources sha256:…");
  show_flags->whose.Add(*show);
  show->add_option("DIGEST", show_flags->digest,
                   "the version (default: the active one)");
  show->add_flag("--sources", show_flags->sources, "print its files too");
  show->callback([&client, &run, show_flags] {
    UseApprover(client);
    run = [&client, show_flags] { return Show(client, *show_flags); };
  });
}

void AddActivate(CLI::App& policies, Client& client, Run& run) {
  auto flags = std::make_shared<ActivateFlags>();
  CLI::App* activate = policies.add_subcommand(
      "activate",
      "make a version the active one: a tenant's at once, the "
      "platform's once two people approved");
  activate->footer(
      "examples:\n  intentctl policies activate sha256:… --rationale 'as "
      "agreed "
      "on Monday'\n  intentctl policies activate sha256:… --break-glass "
      "--reason 'rule blocks payroll'");
  flags->whose.Add(*activate);
  activate->add_option("DIGEST", flags->digest, "the version")->required();
  activate->add_option("--rationale", flags->rationale,
                       "why; the voters read it");
  activate->add_option("--request-id", flags->request_id,
                       "a UUID; give the same again to repeat safely");
  activate->add_flag("--allow-broken-layers", flags->allow_broken_layers,
                     "though layers of tenants do not compile with it: those "
                     "tenants are blocked until they do");
  activate->add_flag("--break-glass", flags->break_glass,
                     "in an emergency: without votes, straight on the "
                     "database; the audit log tells");
  activate->add_option("--reason", flags->reason, "why the glass is broken");
  activate
      ->add_option("--direct-url", flags->direct_url,
                   "for --break-glass: the database, as the tables' owner (or "
                   "DIRECT_URL)")
      ->envname("DIRECT_URL");
  activate->callback([&client, &run, flags] {
    UseApprover(client);
    run = [&client, flags] { return Activate(client, *flags); };
  });
}

}  // namespace

void AddPoliciesCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* policies = app.add_subcommand(
      "policies",
      "check, propose, try, read and activate versions of the rules");
  policies->require_subcommand(1);
  policies->fallthrough();
  AddFileVerbs(*policies, client, run);
  AddReadVerbs(*policies, client, run);
  AddActivate(*policies, client, run);
  AddPoliciesReplay(*policies, client, run);
}

}  // namespace sgl::tools
