// `intentctl memos …`: what an approver does, by hand.

#include <iostream>
#include <memory>

#include "tools/intentctl/commands.h"
#include "tools/intentctl/print.h"
#include "tools/intentctl/watch_command.h"

namespace sgl::tools {
namespace {

absl::StatusOr<intent::v1::DecisionMemo> Fetch(const Connection& connection,
                                               const std::string& id,
                                               grpc::Status& status) {
  grpc::ClientContext context;
  connection.Prepare(context);
  intent::v1::GetDecisionMemoRequest request;
  request.set_id(id);
  intent::v1::GetDecisionMemoResponse response;
  status = connection.decisions->GetDecisionMemo(&context, request, &response);
  if (!status.ok()) return absl::UnknownError(status.error_message());
  return response.decision_memo();
}

int Show(const Client& client, const std::string& id) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("show memo", connection.status());
  grpc::Status status;
  const auto memo = Fetch(*connection, id, status);
  if (!memo.ok()) return ReportError("show memo", status);
  if (client.json) {
    PrintJson(*memo);
  } else {
    PrintMemo(*memo);
  }
  return kExitOk;
}

struct ListFlags {
  std::string status = "PROPOSED";
  int limit = 50;
};

int List(const Client& client, const ListFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("list memos", connection.status());
  intent::v1::ListDecisionMemosRequest request;
  intent::v1::MemoStatus wanted = intent::v1::MEMO_STATUS_UNSPECIFIED;
  if (flags.status != "ANY") {
    intent::v1::MemoStatus_Parse("MEMO_STATUS_" + flags.status, &wanted);
  }
  request.mutable_filter()->set_status(wanted);
  for (int left = flags.limit; left > 0;) {
    request.set_page_size(std::min(left, 200));
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::ListDecisionMemosResponse response;
    const grpc::Status status =
        connection->decisions->ListDecisionMemos(&context, request, &response);
    if (!status.ok()) return ReportError("list memos", status);
    for (const auto& memo : response.decision_memos()) {
      if (client.json) {
        PrintJson(memo);
      } else {
        PrintMemoRow(memo);
      }
    }
    left -= response.decision_memos_size();
    if (response.next_page_token().empty()) return kExitOk;
    request.set_page_token(response.next_page_token());
  }
  std::cerr << "there are more; --limit raises how many are shown\n";
  return kExitOk;
}

struct VoteFlags {
  std::string id;
  std::string comment;
  std::string payload_sha256;
};

// Votes on what was seen: the hash given, or else that of the memo as it
// stands now, which is printed with the outcome.
template <typename Request, typename Response, typename Call>
int Vote(const Client& client, const VoteFlags& flags, absl::string_view action,
         Call call) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  grpc::Status status;
  const auto memo = Fetch(*connection, flags.id, status);
  if (!memo.ok()) return ReportError(action, status);
  Request request;
  request.set_id(flags.id);
  request.set_revision(memo->revision());
  request.set_payload_sha256(flags.payload_sha256.empty()
                                 ? memo->payload_sha256()
                                 : flags.payload_sha256);
  request.set_comment(flags.comment);
  grpc::ClientContext context;
  connection->Prepare(context);
  Response response;
  status = call(*connection, &context, request, &response);
  if (!status.ok()) return ReportError(action, status);
  if (client.json) {
    PrintJson(response);
  } else {
    PrintMemo(response.decision_memo());
    PrintIntent(response.intent());
  }
  return kExitOk;
}

int Approve(const Client& client, const VoteFlags& flags) {
  return Vote<intent::v1::ApproveDecisionMemoRequest,
              intent::v1::ApproveDecisionMemoResponse>(
      client, flags, "approve",
      [](const Connection& connection, grpc::ClientContext* context,
         const auto& request, auto* response) {
        return connection.decisions->ApproveDecisionMemo(context, request,
                                                         response);
      });
}

int Reject(const Client& client, const VoteFlags& flags) {
  return Vote<intent::v1::RejectDecisionMemoRequest,
              intent::v1::RejectDecisionMemoResponse>(
      client, flags, "reject",
      [](const Connection& connection, grpc::ClientContext* context,
         const auto& request, auto* response) {
        return connection.decisions->RejectDecisionMemo(context, request,
                                                        response);
      });
}

void AddVote(CLI::App& verb, VoteFlags& flags) {
  verb.add_option("ID", flags.id, "the memo's id")->required();
  verb.add_option("--payload-sha256", flags.payload_sha256,
                  "the payload's hash that you saw in `memos show` (default: "
                  "that of the memo as it stands)");
}

}  // namespace

void AddMemosCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* memos =
      app.add_subcommand("memos", "read decision memos and vote on them");
  memos->require_subcommand(1);
  memos->fallthrough();
  AddMemosWatch(*memos, client, run);

  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list = memos->add_subcommand("list", "list memos, newest first");
  list->footer("example:\n  intentctl memos list");
  list->add_option("--status", list_flags->status, "only of this status")
      ->check(CLI::IsMember({"PROPOSED", "APPROVED", "REJECTED", "ANY"}))
      ->capture_default_str();
  list->add_option("--limit", list_flags->limit, "how many at most")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  list->callback([&client, &run, list_flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, list_flags] { return List(client, *list_flags); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* show = memos->add_subcommand("show", "show one memo and its votes");
  show->footer("example:\n  intentctl memos show 0190d3f6-…");
  show->add_option("ID", *id, "the memo's id")->required();
  show->callback([&client, &run, id] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, id] { return Show(client, *id); };
  });

  auto vote_flags = std::make_shared<VoteFlags>();
  CLI::App* approve = memos->add_subcommand("approve", "vote for an intent");
  approve->footer(
      "example:\n  intentctl memos approve 0190d3f6-… --comment 'checked'");
  AddVote(*approve, *vote_flags);
  approve->add_option("--comment", vote_flags->comment, "for the record");
  approve->callback([&client, &run, vote_flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, vote_flags] { return Approve(client, *vote_flags); };
  });

  CLI::App* reject = memos->add_subcommand("reject", "vote an intent down");
  reject->footer(
      "example:\n  intentctl memos reject 0190d3f6-… --comment 'wrong "
      "account'");
  AddVote(*reject, *vote_flags);
  reject->add_option("--comment", vote_flags->comment, "why; required")
      ->required();
  reject->callback([&client, &run, vote_flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, vote_flags] { return Reject(client, *vote_flags); };
  });
}

}  // namespace sgl::tools
