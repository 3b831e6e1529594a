// `intentctl intents watch` and `intentctl memos watch`: a line for each
// change, as it happens.

#include "tools/intentctl/watch_command.h"

#include <absl/time/time.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>

#include "engine/wake_signal.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

struct Flags {
  std::string status;
  std::string type;
  std::string cursor;
  bool existing = false;
  int count = 0;
};

// How the two kinds of watches differ.
struct Intents {
  using Request = intent::v1::WatchIntentsRequest;
  using Response = intent::v1::WatchIntentsResponse;
  static constexpr char kAction[] = "watch intents";

  static auto Open(const Connection& connection, grpc::ClientContext* context,
                   const Request& request) {
    return connection.intents->WatchIntents(context, request);
  }
  static void SetFilter(const Flags& flags, Request& request) {
    intent::v1::IntentStatus status = intent::v1::INTENT_STATUS_UNSPECIFIED;
    intent::v1::IntentStatus_Parse("INTENT_STATUS_" + flags.status, &status);
    request.mutable_filter()->set_status(status);
    request.mutable_filter()->set_intent_type(flags.type);
  }
  static bool HasRow(const Response& response) { return response.has_intent(); }
  static void Print(const Response& response) {
    PrintIntentRow(response.intent());
  }
};

struct Memos {
  using Request = intent::v1::WatchDecisionMemosRequest;
  using Response = intent::v1::WatchDecisionMemosResponse;
  static constexpr char kAction[] = "watch memos";

  static auto Open(const Connection& connection, grpc::ClientContext* context,
                   const Request& request) {
    return connection.decisions->WatchDecisionMemos(context, request);
  }
  static void SetFilter(const Flags& flags, Request& request) {
    intent::v1::MemoStatus status = intent::v1::MEMO_STATUS_UNSPECIFIED;
    intent::v1::MemoStatus_Parse("MEMO_STATUS_" + flags.status, &status);
    request.mutable_filter()->set_status(status);
    request.mutable_filter()->set_intent_type(flags.type);
  }
  static bool HasRow(const Response& response) {
    return response.has_decision_memo();
  }
  static void Print(const Response& response) {
    PrintMemoRow(response.decision_memo());
  }
};

// Whether a stream that ended so may go on where it stood.
bool CanResume(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE ||
         code == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

// Prints until `count` changes came or the stream ended; moves the request's
// cursor on. Returns whether to stop.
template <typename Kind>
bool Follow(const Client& client,
            grpc::ClientReader<typename Kind::Response>& reader,
            typename Kind::Request& request, int& left) {
  typename Kind::Response response;
  while (reader.Read(&response)) {
    request.set_cursor(response.cursor());
    request.set_include_existing(false);
    if (!Kind::HasRow(response)) continue;
    if (client.json) {
      PrintJson(response);
    } else {
      Kind::Print(response);
    }
    // Others read it line by line as it comes.
    std::cout.flush();
    if (left > 0 && --left == 0) return true;
  }
  return false;
}

template <typename Kind>
int Watch(const Client& client, const Flags& flags) {
  constexpr std::chrono::seconds kPauseMax(30);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(Kind::kAction, connection.status());
  typename Kind::Request request;
  Kind::SetFilter(flags, request);
  request.set_cursor(flags.cursor);
  request.set_include_existing(flags.existing);
  int left = flags.count;
  std::chrono::seconds pause(1);
  while (true) {
    grpc::ClientContext context;
    connection->PrepareStream(context);
    const std::string before = request.cursor();
    auto reader = Kind::Open(*connection, &context, request);
    if (Follow<Kind>(client, *reader, request, left)) {
      context.TryCancel();
      reader->Finish();
      return kExitOk;
    }
    const grpc::Status status = reader->Finish();
    // One that never began has nothing to resume.
    if (!CanResume(status.error_code()) || request.cursor().empty()) {
      return ReportError(Kind::kAction, status);
    }
    if (request.cursor() != before) pause = std::chrono::seconds(1);
    std::cerr << Kind::kAction << ": " << status.error_message()
              << "; going on in " << pause.count() << " s\n";
    engine::WakeSignal().Wait(absl::FromChrono(pause));
    pause = std::min(2 * pause, kPauseMax);
  }
}

template <typename Kind>
CLI::App* Add(CLI::App& noun, Client& client, Run& run,
              const std::string& description,
              const std::vector<std::string>& statuses) {
  CLI::App* watch = noun.add_subcommand("watch", description);
  auto flags = std::make_shared<Flags>();
  watch->add_option("--status", flags->status, "only of this status")
      ->check(CLI::IsMember(statuses));
  watch->add_option("--type", flags->type, "only of this intent type");
  CLI::Option* cursor =
      watch->add_option("--cursor", flags->cursor,
                        "go on where an earlier watch stood (--json shows "
                        "cursors)");
  watch->add_flag("--existing", flags->existing, "show what is there first")
      ->excludes(cursor);
  watch
      ->add_option("--count", flags->count,
                   "end after that many lines (default: never)")
      ->check(CLI::Range(1, 1000000000));
  watch->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "agent";
    run = [&client, flags] { return Watch<Kind>(client, *flags); };
  });
  return watch;
}

}  // namespace

void AddIntentsWatch(CLI::App& intents, Client& client, Run& run) {
  Add<Intents>(intents, client, run, "print each intent that changes",
               {"DRAFT", "VALIDATING", "EXECUTED", "FAILED", "BLOCKED_SGL",
                "AWAITING_HUMAN"})
      ->footer("example:\n  intentctl intents watch --status FAILED --json");
}

void AddMemosWatch(CLI::App& memos, Client& client, Run& run) {
  Add<Memos>(memos, client, run, "print each memo that is opened or changes",
             {"PROPOSED", "APPROVED", "REJECTED"})
      ->footer("example:\n  intentctl memos watch --status PROPOSED");
}

}  // namespace sgl::tools
