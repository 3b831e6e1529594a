// `intentctl memos …`: what an approver does, by hand.

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

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

struct EditFlags {
  VoteFlags vote;
  // Unset: as it stands.
  std::string type;
  std::string payload;
  std::string spend;
  std::string data_class;
};

// Fills in what the flags change; the rest stays as the memo has it.
absl::Status FillEdit(const EditFlags& flags,
                      intent::v1::EditDecisionMemoRequest& request) {
  if (!flags.type.empty()) request.set_intent_type(flags.type);
  if (!flags.payload.empty()) {
    const absl::StatusOr<std::string> payload = ReadArgument(flags.payload);
    if (!payload.ok()) return payload.status();
    request.set_payload(*payload);
  }
  if (!flags.spend.empty()) {
    const absl::StatusOr<int64_t> spend = ParseUsd(flags.spend);
    if (!spend.ok()) return spend.status();
    request.set_spend_micros_usd(*spend);
  }
  if (!flags.data_class.empty()) {
    intent::v1::DataClass data_class = intent::v1::DATA_CLASS_NONE;
    intent::v1::DataClass_Parse("DATA_CLASS_" + flags.data_class, &data_class);
    request.set_data_class(data_class);
  }
  return absl::OkStatus();
}

int Edit(const Client& client, const EditFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("edit", connection.status());
  grpc::Status status;
  const auto memo = Fetch(*connection, flags.vote.id, status);
  if (!memo.ok()) return ReportError("edit", status);
  intent::v1::EditDecisionMemoRequest request;
  request.set_id(memo->id());
  request.set_revision(memo->revision());
  request.set_payload_sha256(flags.vote.payload_sha256.empty()
                                 ? memo->payload_sha256()
                                 : flags.vote.payload_sha256);
  request.set_comment(flags.vote.comment);
  request.set_intent_type(memo->intent_type());
  request.set_payload(memo->payload());
  request.set_spend_micros_usd(memo->estimated_cost_micros_usd());
  request.set_data_class(memo->data_class());
  const absl::Status filled = FillEdit(flags, request);
  if (!filled.ok()) return ReportError("edit", filled);
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::EditDecisionMemoResponse response;
  status =
      connection->decisions->EditDecisionMemo(&context, request, &response);
  if (!status.ok()) return ReportError("edit", status);
  if (client.json) {
    PrintJson(response);
  } else {
    PrintMemo(response.decision_memo());
    PrintIntent(response.intent());
  }
  return kExitOk;
}

struct ApproveAllFlags {
  std::string reason_code;
  std::string type;
  std::string comment;
  bool dry_run = false;
  bool yes = false;
};

bool IsOnlyReason(const intent::v1::DecisionMemo& memo,
                  const std::string& code) {
  for (const auto& reason : memo.reasons()) {
    if (reason.code() != code) return false;
  }
  return memo.reasons_size() > 0;
}

// Reads all open memos that the one rule asked for.
grpc::Status FindByReason(const Connection& connection,
                          const ApproveAllFlags& flags,
                          std::vector<intent::v1::DecisionMemo>& found) {
  intent::v1::ListDecisionMemosRequest request;
  request.set_page_size(200);
  request.mutable_filter()->set_status(intent::v1::MEMO_STATUS_PROPOSED);
  request.mutable_filter()->set_intent_type(flags.type);
  do {
    grpc::ClientContext context;
    connection.Prepare(context);
    intent::v1::ListDecisionMemosResponse response;
    const grpc::Status status =
        connection.decisions->ListDecisionMemos(&context, request, &response);
    if (!status.ok()) return status;
    for (auto& memo : *response.mutable_decision_memos()) {
      if (!IsOnlyReason(memo, flags.reason_code)) continue;
      // Only its hash is needed any more.
      memo.clear_payload();
      found.push_back(std::move(memo));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

// Prints what became of one memo; returns whether it was approved.
bool PrintResult(const Client& client, const std::string& id,
                 const intent::v1::BatchApproveResult& result) {
  if (client.json) {
    PrintJson(result);
  } else if (result.status().code() == 0) {
    std::cout << id << "  " << StatusName(result.intent().status()) << "\n";
  } else {
    std::cout << id << "  refused: " << result.status().reason() << ": "
              << result.status().message() << "\n";
  }
  return result.status().code() == 0;
}

// Approves in calls of at most 200; returns how many were refused, or how the
// call failed.
absl::StatusOr<int> ApproveAllOf(
    const Client& client, const Connection& connection,
    const ApproveAllFlags& flags,
    const std::vector<intent::v1::DecisionMemo>& memos, grpc::Status& status) {
  constexpr size_t kBatchMax = 200;
  int refused = 0;
  for (size_t first = 0; first < memos.size(); first += kBatchMax) {
    const size_t end = std::min(first + kBatchMax, memos.size());
    intent::v1::BatchApproveDecisionMemosRequest request;
    request.set_reason_code(flags.reason_code);
    request.set_comment(flags.comment);
    for (size_t i = first; i < end; ++i) {
      auto* item = request.add_items();
      item->set_id(memos[i].id());
      item->set_revision(memos[i].revision());
      item->set_payload_sha256(memos[i].payload_sha256());
    }
    grpc::ClientContext context;
    connection.Prepare(context);
    intent::v1::BatchApproveDecisionMemosResponse response;
    status = connection.decisions->BatchApproveDecisionMemos(&context, request,
                                                             &response);
    if (!status.ok()) return absl::UnknownError(status.error_message());
    for (int i = 0; i < response.results_size(); ++i) {
      const std::string& id = request.items(i).id();
      if (!PrintResult(client, id, response.results(i))) ++refused;
    }
  }
  return refused;
}

// Lists first what it is about; votes only when told so in so many words.
int ApproveAll(const Client& client, const ApproveAllFlags& flags) {
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("approve all", connection.status());
  std::vector<intent::v1::DecisionMemo> memos;
  grpc::Status status = FindByReason(*connection, flags, memos);
  if (!status.ok()) return ReportError("approve all", status);
  for (const auto& memo : memos) {
    if (client.json && flags.dry_run) {
      PrintJson(memo);
    } else if (!client.json) {
      PrintMemoRow(memo);
    }
  }
  std::cerr << memos.size() << " open memos are there for " << flags.reason_code
            << " alone\n";
  if (flags.dry_run || memos.empty()) return kExitOk;
  if (!flags.yes) {
    std::cerr << "nothing was voted on: give --yes to approve them all\n";
    return kExitUsage;
  }
  const absl::StatusOr<int> refused =
      ApproveAllOf(client, *connection, flags, memos, status);
  if (!refused.ok()) return ReportError("approve all", status);
  if (*refused == 0) return kExitOk;
  std::cerr << *refused << " were refused\n";
  return kExitFailed;
}

void AddEdit(CLI::App& memos, Client& client, Run& run) {
  CLI::App* edit = memos.add_subcommand(
      "edit", "change what an intent is, and have it decided again");
  edit->footer(
      "what no flag names stays as it is. Votes so far fall away, and who "
      "edits can't vote on it.\n"
      "example:\n  intentctl memos edit 0190d3f6-… --spend-usd 200 --comment "
      "'within the limit'");
  auto flags = std::make_shared<EditFlags>();
  edit->add_option("ID", flags->vote.id, "the memo's id")->required();
  edit->add_option("--payload-sha256", flags->vote.payload_sha256,
                   "the payload's hash that you saw in `memos show` (default: "
                   "that of the memo as it stands)");
  edit->add_option("--type", flags->type, "the intent's type");
  edit->add_option("--payload", flags->payload,
                   "a JSON object, @FILE, or @- for stdin");
  edit->add_option("--spend-usd", flags->spend, "dollars, as 250 or 0.05");
  edit->add_option("--data-class", flags->data_class, "what data it touches")
      ->check(CLI::IsMember({"NONE", "PII", "PHI"}));
  edit->add_option("--comment", flags->vote.comment, "why; required")
      ->required();
  edit->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, flags] { return Edit(client, *flags); };
  });
}

void AddApproveAll(CLI::App& memos, Client& client, Run& run) {
  CLI::App* all = memos.add_subcommand(
      "approve-all", "vote for all open memos that one rule alone asked for");
  all->footer(
      "example:\n"
      "  intentctl memos approve-all --reason-code BIG_SPEND --dry-run\n"
      "  intentctl memos approve-all --reason-code BIG_SPEND --yes");
  auto flags = std::make_shared<ApproveAllFlags>();
  all->add_option("--reason-code", flags->reason_code, "the rule's code")
      ->required();
  all->add_option("--type", flags->type, "only intents of this type");
  all->add_option("--comment", flags->comment, "for the record");
  CLI::Option* dry_run = all->add_flag("--dry-run", flags->dry_run,
                                       "only list what it would vote on");
  all->add_flag("--yes", flags->yes, "approve what is listed")
      ->excludes(dry_run);
  all->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, flags] { return ApproveAll(client, *flags); };
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
  AddEdit(*memos, client, run);
  AddApproveAll(*memos, client, run);
}

}  // namespace sgl::tools
