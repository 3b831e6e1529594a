// `intentctl intents …`: what an agent does, by hand.

#include <absl/strings/str_cat.h>

#include <iostream>
#include <memory>

#include "storage/uuid.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/print.h"
#include "tools/intentctl/replay_command.h"
#include "tools/intentctl/watch_command.h"

namespace sgl::tools {
namespace {

struct SubmitFlags {
  std::string type;
  std::string payload = "{}";
  std::string spend = "0";
  std::string data_class = "NONE";
  std::string title;
  std::string rationale;
  std::string requested_by;
  std::string request_id;
  int wait_seconds = 10;
  bool validate_only = false;
  bool brief = false;
};

// Whether a call that failed so may have been carried out.
bool IsInDoubt(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE ||
         code == grpc::StatusCode::UNKNOWN ||
         code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::CANCELLED;
}

int Submit(const Client& client, const SubmitFlags& flags) {
  absl::StatusOr<std::string> payload = ReadArgument(flags.payload);
  if (!payload.ok()) return ReportError("submit", payload.status());
  absl::StatusOr<int64_t> spend = ParseUsd(flags.spend);
  if (!spend.ok()) return ReportError("submit", spend.status());
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("submit", connection.status());
  intent::v1::SubmitIntentRequest request;
  request.set_request_id(flags.request_id.empty() ? storage::NewUuid()
                                                  : flags.request_id);
  request.set_intent_type(flags.type);
  request.set_payload(*payload);
  request.set_spend_micros_usd(*spend);
  intent::v1::DataClass data_class = intent::v1::DATA_CLASS_NONE;
  intent::v1::DataClass_Parse(absl::StrCat("DATA_CLASS_", flags.data_class),
                              &data_class);
  request.set_data_class(data_class);
  request.set_title(flags.title);
  request.set_rationale(flags.rationale);
  request.set_requested_by(flags.requested_by);
  request.set_validate_only(flags.validate_only);
  request.mutable_wait()->set_seconds(flags.wait_seconds);
  connection->timeout_seconds += flags.wait_seconds;
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::SubmitIntentResponse response;
  const grpc::Status status =
      connection->intents->SubmitIntent(&context, request, &response);
  if (!status.ok()) {
    // It may have been stored all the same: the same id asks without doing it
    // twice.
    if (IsInDoubt(status.error_code())) {
      std::cerr << "request id: " << request.request_id()
                << " (--request-id repeats it safely)\n";
    }
    return ReportError("submit", status);
  }
  if (client.json) {
    PrintJson(response.intent());
  } else if (flags.brief) {
    PrintIntentRow(response.intent());
  } else {
    PrintIntent(response.intent());
  }
  return kExitOk;
}

int Show(const Client& client, const std::string& id) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("get intent", connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::GetIntentRequest request;
  request.set_id(id);
  intent::v1::GetIntentResponse response;
  const grpc::Status status =
      connection->intents->GetIntent(&context, request, &response);
  if (!status.ok()) return ReportError("get intent", status);
  if (client.json) {
    PrintJson(response.intent());
  } else {
    PrintIntent(response.intent());
  }
  return kExitOk;
}

struct ListFlags {
  std::string status;
  std::string type;
  int limit = 50;
};

int List(const Client& client, const ListFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("list intents", connection.status());
  intent::v1::ListIntentsRequest request;
  intent::v1::IntentStatus wanted = intent::v1::INTENT_STATUS_UNSPECIFIED;
  intent::v1::IntentStatus_Parse(absl::StrCat("INTENT_STATUS_", flags.status),
                                 &wanted);
  request.mutable_filter()->set_status(wanted);
  request.mutable_filter()->set_intent_type(flags.type);
  for (int left = flags.limit; left > 0;) {
    request.set_page_size(std::min(left, 200));
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::ListIntentsResponse response;
    const grpc::Status status =
        connection->intents->ListIntents(&context, request, &response);
    if (!status.ok()) return ReportError("list intents", status);
    for (const auto& intent : response.intents()) {
      if (client.json) {
        PrintJson(intent);
      } else {
        PrintIntentRow(intent);
      }
    }
    left -= response.intents_size();
    if (response.next_page_token().empty()) return kExitOk;
    request.set_page_token(response.next_page_token());
  }
  std::cerr << "there are more; --limit raises how many are shown\n";
  return kExitOk;
}

int Cancel(const Client& client, const std::string& id) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("cancel", connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::CancelIntentRequest request;
  request.set_id(id);
  intent::v1::CancelIntentResponse response;
  const grpc::Status status =
      connection->intents->CancelIntent(&context, request, &response);
  if (!status.ok()) return ReportError("cancel", status);
  if (client.json) {
    PrintJson(response.intent());
  } else {
    PrintIntent(response.intent());
  }
  return kExitOk;
}

int DryRun(const Client& client, const SubmitFlags& flags) {
  absl::StatusOr<std::string> payload = ReadArgument(flags.payload);
  if (!payload.ok()) return ReportError("evaluate", payload.status());
  absl::StatusOr<int64_t> spend = ParseUsd(flags.spend);
  if (!spend.ok()) return ReportError("evaluate", spend.status());
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("evaluate", connection.status());
  intent::v1::EvaluateIntentRequest request;
  request.set_intent_type(flags.type);
  request.set_payload(*payload);
  request.set_spend_micros_usd(*spend);
  intent::v1::DataClass data_class = intent::v1::DATA_CLASS_NONE;
  intent::v1::DataClass_Parse(absl::StrCat("DATA_CLASS_", flags.data_class),
                              &data_class);
  request.set_data_class(data_class);
  request.set_requested_by(flags.requested_by);
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::EvaluateIntentResponse response;
  const grpc::Status status =
      connection->intents->EvaluateIntent(&context, request, &response);
  if (!status.ok()) return ReportError("evaluate", status);
  if (client.json) {
    PrintJson(response);
  } else {
    PrintEvaluation(response);
  }
  return kExitOk;
}

// What both a submission and a dry run take.
void AddContentFlags(CLI::App& verb, SubmitFlags& flags) {
  verb.add_option("--type", flags.type, "the intent's type")->required();
  verb.add_option("--payload", flags.payload,
                  "a JSON object, @FILE, or @- for stdin")
      ->capture_default_str();
  verb.add_option("--spend-usd", flags.spend, "dollars, as 250 or 0.05")
      ->capture_default_str();
  verb.add_option("--data-class", flags.data_class, "what data it touches")
      ->check(CLI::IsMember({"NONE", "PII", "PHI"}))
      ->capture_default_str();
  verb.add_option("--requested-by", flags.requested_by,
                  "on whose behalf, in words");
}

void AddEvaluate(CLI::App& intents, Client& client, Run& run) {
  CLI::App* evaluate = intents.add_subcommand(
      "evaluate", "decide an intent and say why; nothing is stored");
  evaluate->footer(
      "example:\n  intentctl intents evaluate --type SOCIAL_POST "
      "--spend-usd 300 --payload "
      "'{\"channel\":\"linkedin\",\"text\":\"We are live.\"}'\n"
      "A * marks the rules that gave the decision.");
  auto flags = std::make_shared<SubmitFlags>();
  AddContentFlags(*evaluate, *flags);
  evaluate->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, flags] { return DryRun(client, *flags); };
  });
}

void AddSubmit(CLI::App& intents, Client& client, Run& run) {
  CLI::App* submit = intents.add_subcommand("submit", "submit an intent");
  submit->footer(
      "example:\n  intentctl intents submit --type EMAIL_SEND --payload "
      "'{\"to\":[\"a@example.com\"],\"subject\":\"Hi\",\"body\":\"Hello\"}'");
  auto flags = std::make_shared<SubmitFlags>();
  AddContentFlags(*submit, *flags);
  submit->add_option("--title", flags->title, "what an approver reads first");
  submit->add_option("--rationale", flags->rationale, "why it is wanted");
  submit->add_option("--request-id", flags->request_id,
                     "a UUID; the same one again never submits twice "
                     "(default: a random one)");
  submit
      ->add_option("--wait", flags->wait_seconds,
                   "seconds to wait for the decision; 0: do not wait")
      ->check(CLI::Range(0, 60))
      ->capture_default_str();
  submit->add_flag("--validate-only", flags->validate_only,
                   "check and decide, but store nothing");
  submit->add_flag("--brief", flags->brief, "print one line, as lists do");
  submit->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, flags] { return Submit(client, *flags); };
  });
}

}  // namespace

void AddIntentsCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* intents = app.add_subcommand(
      "intents", "submit, try, read, watch, replay and cancel intents");
  intents->require_subcommand(1);
  intents->fallthrough();
  AddSubmit(*intents, client, run);
  AddEvaluate(*intents, client, run);
  AddIntentsWatch(*intents, client, run);
  AddIntentsReplay(*intents, client, run);

  auto id = std::make_shared<std::string>();
  CLI::App* get = intents->add_subcommand("get", "show one intent");
  get->footer("example:\n  intentctl intents get 0190d3f6-…");
  get->add_option("ID", *id, "the intent's id")->required();
  get->callback([&client, &run, id] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, id] { return Show(client, *id); };
  });

  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list =
      intents->add_subcommand("list", "list intents, newest first");
  list->footer("example:\n  intentctl intents list --status AWAITING_HUMAN");
  list->add_option("--status", list_flags->status, "only of this status")
      ->check(CLI::IsMember({"DRAFT", "VALIDATING", "EXECUTED", "FAILED",
                             "BLOCKED_SGL", "AWAITING_HUMAN"}));
  list->add_option("--type", list_flags->type, "only of this type");
  list->add_option("--limit", list_flags->limit, "how many at most")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  list->callback([&client, &run, list_flags] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, list_flags] { return List(client, *list_flags); };
  });

  CLI::App* cancel = intents->add_subcommand(
      "cancel", "end an intent that is DRAFT or AWAITING_HUMAN");
  cancel->footer("example:\n  intentctl intents cancel 0190d3f6-…");
  cancel->add_option("ID", *id, "the intent's id")->required();
  cancel->callback([&client, &run, id] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, id] { return Cancel(client, *id); };
  });
}

}  // namespace sgl::tools
