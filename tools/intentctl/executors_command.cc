// `intentctl executors …`: what EXECUTED does for each intent type.

#include "tools/intentctl/executors_command.h"

#include <absl/strings/str_cat.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/effects/registry.h"
#include "engine/executors.h"
#include "engine/files.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

using engine::EffectDecl;
using engine::ExecutorKind;
using engine::ExecutorRegistry;

struct ListFlags {
  std::string file;
  bool json = false;
};

absl::StatusOr<ExecutorRegistry> Read(const std::string& file) {
  if (file.empty()) return ExecutorRegistry::FromText("", "");
  const absl::StatusOr<std::string> text = engine::ReadFile(file);
  if (!text.ok()) return text.status();
  return ExecutorRegistry::FromText(file, *text);
}

std::string JsonLine(const std::string& intent_type, ExecutorKind kind,
                     const EffectDecl* effect_or_null) {
  nlohmann::ordered_json line = {
      {"intent_type", intent_type},
      {"kind", std::string(engine::ExecutorKindName(kind))}};
  if (effect_or_null != nullptr) {
    line["summary"] = std::string(effect_or_null->summary);
    line["payload"] = engine::PayloadDeclaration(*effect_or_null);
    line["output"] = nlohmann::ordered_json::array();
    for (const absl::string_view member : effect_or_null->output) {
      line["output"].push_back(std::string(member));
    }
  }
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

int List(const ListFlags& flags) {
  const absl::StatusOr<ExecutorRegistry> registry = Read(flags.file);
  if (!registry.ok()) return ReportError("list executors", registry.status());
  for (const auto& [intent_type, kind] : registry->Named()) {
    const EffectDecl* effect = registry->effects().Find(intent_type);
    if (flags.json) {
      std::cout << JsonLine(intent_type, kind, effect) << "\n";
      continue;
    }
    std::cout << Printable(intent_type) << " "
              << engine::ExecutorKindName(kind);
    if (effect != nullptr) {
      std::cout << " " << engine::PayloadDeclaration(*effect);
    }
    std::cout << "\n";
  }
  return kExitOk;
}

}  // namespace

void AddExecutorsCommand(CLI::App& app, Run& run) {
  CLI::App* noun = app.add_subcommand(
      "executors", "what EXECUTED does for each intent type");
  noun->require_subcommand(1);
  auto flags = std::make_shared<ListFlags>();
  CLI::App* list = noun->add_subcommand(
      "list", "list the effects that are built in, with their payloads");
  list->footer(
      "examples:\n  intentctl executors list\n"
      "  intentctl executors list --executors executors.textproto --json");
  list->add_option("--executors", flags->file,
                   "the file of `intentd serve`: list what it declares, too");
  list->add_flag("--json", flags->json, "print a line of JSON for each");
  list->callback([&run, flags] { run = [flags] { return List(*flags); }; });
}

}  // namespace sgl::tools
