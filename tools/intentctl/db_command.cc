// `intentctl db …`: the schema's migrations. All on DIRECT_URL.

#include <unistd.h>

#include <iostream>
#include <memory>

#include "storage/migrator.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

int Deploy(const std::string& url) {
  absl::StatusOr<std::vector<std::string>> applied = storage::Deploy(url);
  if (!applied.ok()) return ReportError("deploy", applied.status());
  for (const std::string& name : *applied) {
    std::cout << "applied " << name << "\n";
  }
  std::cout << (applied->empty() ? "nothing to do: the schema is up to date\n"
                                 : "the schema is up to date\n");
  return kExitOk;
}

int ShowStatus(const std::string& url) {
  absl::StatusOr<std::vector<storage::MigrationState>> states =
      storage::MigrationStatus(url);
  if (!states.ok()) return ReportError("status", states.status());
  for (const storage::MigrationState& state : *states) {
    std::cout << (state.applied ? "applied  " : "pending  ") << state.name
              << "\n";
  }
  return kExitOk;
}

int Reset(const std::string& url, bool is_sure) {
  if (!is_sure) {
    if (isatty(STDIN_FILENO) == 0) {
      std::cerr << "error: reset destroys all data of this database; say "
                   "--yes where nobody can be asked\n";
      return kExitUsage;
    }
    std::cerr << "This destroys all data of the engine in this database, the "
                 "audit log with it.\nType `reset` to go on: ";
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "reset") {
      std::cerr << "nothing was changed\n";
      return kExitFailed;
    }
  }
  const absl::Status done = storage::Reset(url);
  if (!done.ok()) return ReportError("reset", done);
  std::cout << "the database is empty and the schema is up to date\n";
  return kExitOk;
}

int Adopt(const std::string& url, const std::string& role) {
  const absl::Status done = storage::AdoptWriter(url, role);
  if (!done.ok()) return ReportError("adopt", done);
  std::cout << "`" << role << "` may write rows of any tenant\n";
  return kExitOk;
}

int Grant(const std::string& url, const std::string& role) {
  const absl::Status done = storage::GrantRuntime(url, role);
  if (!done.ok()) return ReportError("grant", done);
  std::cout << "`" << role << "` may serve as DATABASE_URL's role\n";
  return kExitOk;
}

int Create(const std::string& folder, const std::string& name) {
  absl::StatusOr<std::string> path = storage::CreateMigration(folder, name);
  if (!path.ok()) return ReportError("create", path.status());
  std::cout << "created " << *path
            << "\nwrite the SQL, then rebuild: migrations are compiled in\n";
  return kExitOk;
}

}  // namespace

void AddDbCommand(CLI::App& app, Run& run) {
  CLI::App* db = app.add_subcommand("db", "migrations, and who may write");
  db->require_subcommand(1);

  auto url = std::make_shared<std::string>();
  CLI::App* deploy = db->add_subcommand(
      "deploy",
      "apply pending migrations; safe to run twice and from two places");
  deploy->footer("example:\n  DIRECT_URL=postgresql://… intentctl db deploy");
  AddDirectUrl(*deploy, *url);
  deploy->callback([&run, url] { run = [url] { return Deploy(*url); }; });

  CLI::App* status =
      db->add_subcommand("status", "say which migrations are applied");
  status->footer("example:\n  DIRECT_URL=postgresql://… intentctl db status");
  AddDirectUrl(*status, *url);
  status->callback([&run, url] { run = [url] { return ShowStatus(*url); }; });

  auto is_sure = std::make_shared<bool>(false);
  CLI::App* reset =
      db->add_subcommand("reset", "destroy all data, then deploy; asks first");
  reset->footer("example:\n  DIRECT_URL=postgresql://… intentctl db reset");
  AddDirectUrl(*reset, *url);
  reset->add_flag("--yes", *is_sure, "do not ask");
  reset->callback([&run, url, is_sure] {
    run = [url, is_sure] { return Reset(*url, *is_sure); };
  });

  auto role = std::make_shared<std::string>();
  CLI::App* adopt = db->add_subcommand(
      "adopt", "let an existing writer go on writing rows of any tenant");
  adopt->footer("example:\n  intentctl db adopt --writer-role app");
  AddDirectUrl(*adopt, *url);
  adopt->add_option("--writer-role", *role, "the role that it logs in as")
      ->required();
  adopt->callback(
      [&run, url, role] { run = [url, role] { return Adopt(*url, *role); }; });

  CLI::App* grant =
      db->add_subcommand("grant", "let a role serve as the engine's");
  grant->footer("example:\n  intentctl db grant --runtime-role intentd");
  AddDirectUrl(*grant, *url);
  grant->add_option("--runtime-role", *role, "what DATABASE_URL logs in as")
      ->required();
  grant->callback(
      [&run, url, role] { run = [url, role] { return Grant(*url, *role); }; });

  auto name = std::make_shared<std::string>();
  auto folder = std::make_shared<std::string>("storage/migrations");
  CLI::App* create =
      db->add_subcommand("create", "write a new, empty migration");
  create->footer("example:\n  intentctl db create add_labels");
  create->add_option("NAME", *name, "lower-case letters, digits and _")
      ->required();
  create->add_option("--folder", *folder, "where migrations are")
      ->capture_default_str();
  create->callback([&run, name, folder] {
    run = [name, folder] { return Create(*folder, *name); };
  });
}

}  // namespace sgl::tools
