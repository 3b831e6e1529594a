// `intentctl intents replay`: the decisions on one intent, taken again; and
// `intentctl policies replay`: a version tried on those of a period.

#include "tools/intentctl/replay_command.h"

#include <absl/status/status.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <google/protobuf/util/time_util.h>

#include <iostream>
#include <memory>

#include "intent/v1/policy_service.pb.h"
#include "tools/intentctl/print.h"
#include "tools/intentctl/scope_flags.h"

namespace sgl::tools {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::DecisionReplay;

// Exit statuses of replays, like those of `diff`.
constexpr int kExitSame = 0;
constexpr int kExitDiffers = 1;
constexpr int kExitUnknown = 2;

std::string Summary(const intent::v1::Decision& decision) {
  std::string text = KindName(decision.kind());
  for (const auto& reason : decision.reasons()) {
    absl::StrAppend(&text, " ", reason.code());
  }
  return text;
}

int ExitOf(const DecisionReplay& replay) {
  if (!replay.problem().empty()) return kExitUnknown;
  return replay.differences().empty() ? kExitSame : kExitDiffers;
}

void PrintReplay(const DecisionReplay& replay) {
  if (!replay.problem().empty()) {
    std::cout << "can't tell\n";
    PrintLine("entry", absl::StrCat(replay.transition_number()));
    PrintLine("problem", replay.problem());
    return;
  }
  std::cout << (replay.differences().empty() ? "same\n" : "differs\n");
  PrintLine("entry", absl::StrCat(replay.transition_number()));
  PrintLine("decided", TimeUtil::ToString(replay.recorded().decide_time()));
  PrintLine("revision", absl::StrCat(replay.revision()));
  PrintLine("policy", replay.recorded().policy_digest());
  PrintLine("platform", replay.platform_digest());
  PrintLine("layer", replay.layer_digest());
  PrintLine("recorded", Summary(replay.recorded()));
  PrintLine("replayed", Summary(replay.replayed()));
  for (const std::string& difference : replay.differences()) {
    PrintLine("difference", difference);
  }
}

struct IntentFlags {
  std::string id;
  bool request = false;
};

int ReplayIntent(const Client& client, const IntentFlags& flags) {
  const auto fail = [](const auto& status) {
    ReportError("replay intent", status);
    return kExitUnknown;
  };
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return fail(connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::ReplayIntentRequest request;
  request.set_id(flags.id);
  intent::v1::ReplayIntentResponse response;
  const grpc::Status status =
      connection->policies->ReplayIntent(&context, request, &response);
  if (!status.ok()) return fail(status);
  int exit = kExitSame;
  for (const DecisionReplay& replay : response.replays()) {
    const int its_exit = ExitOf(replay);
    if (exit != kExitDiffers && its_exit != kExitSame) exit = its_exit;
    if (flags.request) {
      // For `sgl eval`, so raw: JSON holds no control characters.
      if (!replay.request().empty()) std::cout << replay.request() << "\n";
    } else if (!client.json) {
      PrintReplay(replay);
    }
  }
  if (client.json && !flags.request) PrintJson(response);
  return exit;
}

struct PolicyFlags {
  ScopeFlags whose;
  std::string version;
  std::string since;
  std::string until;
  std::string type;
  int examples = 5;
  bool follow = false;
};

// Reads a time, or how long ago it was.
absl::Status ReadTime(const std::string& flag, const std::string& text,
                      google::protobuf::Timestamp* time) {
  absl::Time at;
  absl::Duration ago;
  std::string error;
  if (absl::ParseDuration(text, &ago) && ago > absl::ZeroDuration()) {
    at = absl::Now() - ago;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &at, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " takes a time as 2026-03-01T09:00:00Z, or how long ago as 24h"));
  }
  *time = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(at));
  return absl::OkStatus();
}

absl::Status FillRequest(const PolicyFlags& flags,
                         intent::v1::ReplayPolicyRequest* request) {
  request->set_scope(flags.whose.scope());
  if (absl::StartsWith(flags.version, "sha256:")) {
    request->set_digest(flags.version);
  } else {
    request->set_id(flags.version);
  }
  request->set_intent_type(flags.type);
  request->set_max_examples(flags.examples);
  request->set_follow(flags.follow);
  if (!flags.since.empty()) {
    const absl::Status read =
        ReadTime("--since", flags.since, request->mutable_start_time());
    if (!read.ok()) return read;
  }
  if (flags.until.empty()) return absl::OkStatus();
  return ReadTime("--until", flags.until, request->mutable_end_time());
}

void PrintProgress(const intent::v1::ReplayPolicyResponse& response) {
  std::cerr << response.decision_count() + response.skipped_count()
            << " decisions replayed";
  if (response.has_position()) {
    std::cerr << ", up to " << TimeUtil::ToString(response.position());
  }
  if (response.tenant_count() > 1) {
    std::cerr << "; " << response.tenants_done() << " of "
              << response.tenant_count() << " tenants done";
  }
  std::cerr << "\n";
}

std::string FromTo(intent::v1::DecisionKind from, intent::v1::DecisionKind to) {
  return absl::StrCat(KindName(from), " to ", KindName(to));
}

absl::string_view EffectText(intent::v1::RuleEffect effect) {
  switch (effect) {
    case intent::v1::RULE_EFFECT_APPLIES:
      return "applies";
    case intent::v1::RULE_EFFECT_NO_LONGER:
      return "no longer decides";
    case intent::v1::RULE_EFFECT_DEMANDS_OTHER:
      return "demands other";
    default:
      return "changes";
  }
}

template <typename Change>
void PrintExamples(const Change& change) {
  for (const auto& example : change.examples()) {
    std::cout << "    intent " << Printable(example.intent_id()) << "\n";
  }
}

void PrintSummary(const intent::v1::ReplayPolicyResponse& response) {
  std::cout << response.decision_count()
            << " decisions: " << response.same_count() << " the same, "
            << response.decision_count() - response.same_count() << " change";
  if (response.skipped_count() > 0) {
    std::cout << "; " << response.skipped_count() << " can't be compared";
  }
  std::cout << "\n";
  for (const auto& change : response.changes()) {
    std::cout << absl::StreamFormat("%8d  %s\n", change.count(),
                                    FromTo(change.from(), change.to()));
    if (response.rules().empty()) PrintExamples(change);
  }
  if (!response.rules().empty()) std::cout << "by rule:\n";
  for (const auto& rule : response.rules()) {
    std::cout << absl::StreamFormat(
        "%8d  %s (%s) %s: %s\n", rule.count(), Printable(rule.code()),
        Printable(rule.layer()), EffectText(rule.effect()),
        FromTo(rule.from(), rule.to()));
    PrintExamples(rule);
  }
  if (response.more_rules()) std::cout << "  and by further rules\n";
}

int ReplayPolicy(const Client& client, const PolicyFlags& flags) {
  const auto fail = [](const auto& status) {
    ReportError("replay policy", status);
    return kExitUnknown;
  };
  intent::v1::ReplayPolicyRequest request;
  const absl::Status filled = FillRequest(flags, &request);
  if (!filled.ok()) return fail(filled);
  absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return fail(connection.status());
  grpc::ClientContext context;
  connection->PrepareStream(context);
  auto reader = connection->policies->ReplayPolicy(&context, request);
  intent::v1::ReplayPolicyResponse response;
  while (reader->Read(&response)) {
    PrintProgress(response);
    if (!response.done()) continue;
    if (client.json) {
      PrintJson(response);
    } else {
      PrintSummary(response);
    }
    std::cout.flush();
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return fail(status);
  return response.changes().empty() ? kExitSame : kExitDiffers;
}

}  // namespace

void AddPoliciesReplay(CLI::App& policies, Client& client, Run& run) {
  auto flags = std::make_shared<PolicyFlags>();
  CLI::App* replay = policies.add_subcommand(
      "replay",
      "try a stored version on recorded decisions: which would change, by "
      "which rule");
  replay->footer(
      "examples:\n  intentctl policies replay sha256:… --since 168h\n  "
      "intentctl policies replay sha256:… --since 1m --follow\n"
      "Exit status: 0 none changes, 1 some change, 2 an error.");
  flags->whose.Add(*replay);
  replay->add_option("VERSION", flags->version, "its digest, or its id")
      ->required();
  replay->add_option("--since", flags->since,
                     "decisions from this time on, or from so long ago "
                     "(default: all)");
  replay->add_option("--until", flags->until,
                     "decisions before this time (default: now)");
  replay->add_option("--type", flags->type, "only intents of this type");
  replay
      ->add_option("--examples", flags->examples,
                   "intents named for each change")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  replay->add_flag("--follow", flags->follow,
                   "go on with what is decided from then on: the version in "
                   "the shadow of the active one");
  replay->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, flags] { return ReplayPolicy(client, *flags); };
  });
}

void AddIntentsReplay(CLI::App& intents, Client& client, Run& run) {
  auto flags = std::make_shared<IntentFlags>();
  CLI::App* replay = intents.add_subcommand(
      "replay",
      "take an intent's decisions again, from the recorded facts and under "
      "the rules that decided");
  replay->footer(
      "examples:\n  intentctl intents replay 0190d3f6-…\n  intentctl intents "
      "replay 0190d3f6-… --request | sgl eval --policy policies/\n"
      "Exit status: 0 same, 1 differs, 2 can't tell.");
  replay->add_option("ID", flags->id, "the intent's id")->required();
  replay->add_flag("--request", flags->request,
                   "print only the recorded facts, a line a decision, as "
                   "`sgl eval` reads them");
  replay->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "approver";
    run = [&client, flags] { return ReplayIntent(client, *flags); };
  });
}

}  // namespace sgl::tools
