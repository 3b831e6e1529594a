// `intentctl jobs …`: what operators see and end of jobs, and a worker's calls,
// by hand.

#include <absl/strings/str_cat.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "intent/v1/job_service.grpc.pb.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::Job;
using Stub = intent::v1::JobService::Stub;

constexpr int kPageMax = 200;

// Whoever calls, for a ready file that names several.
void UseToken(Client& client, const char* principal) {
  if (client.principal.empty()) client.principal = principal;
}

// `RUNNING`.
std::string StatusName(intent::v1::JobStatus status) {
  constexpr size_t kPrefix = sizeof("JOB_STATUS_") - 1;
  const std::string name = intent::v1::JobStatus_Name(status);
  return name.size() > kPrefix ? name.substr(kPrefix) : name;
}

void PrintJob(const Job& job) {
  PrintLine("job", job.id());
  PrintLine("type", job.job_type());
  PrintLine("status", StatusName(job.status()));
  PrintLine("intent", job.intent_id());
  PrintLine("priority", absl::StrCat(job.priority()));
  PrintLine("retries",
            absl::StrCat(job.retry_count(), " of ", job.max_retries()));
  if (job.has_next_retry_time()) {
    PrintLine("next try", TimeUtil::ToString(job.next_retry_time()));
  }
  PrintLine("leased by", job.leased_by());
  if (job.has_lease_expire_time()) {
    PrintLine("until", TimeUtil::ToString(job.lease_expire_time()));
  }
  PrintLine("input", job.input());
  PrintLine("output", job.output());
  PrintLine("error", job.error());
}

void PrintRow(const Job& job) {
  std::cout << Printable(absl::StrCat(job.id(), "  ", StatusName(job.status()),
                                      "  ", job.job_type(), "  intent ",
                                      job.intent_id(), "  ",
                                      TimeUtil::ToString(job.create_time())))
            << "\n";
}

void PrintLease(const intent::v1::JobLease& lease) {
  PrintLine("job", lease.job_id());
  PrintLine("type", lease.job_type());
  PrintLine("lease token", lease.lease_token());
  PrintLine("until", TimeUtil::ToString(lease.lease_expire_time()));
  PrintLine("attempt", absl::StrCat(lease.attempt()));
  PrintLine("intent", lease.intent_id());
  PrintLine("input", lease.input());
  // The token is not for a terminal's history; --json has it.
  PrintLine("token of", lease.integration_token().provider());
}

// Calls once; `show` prints the answer where it isn't wanted as JSON.
template <typename Request, typename Response, typename Show>
int CallOnce(const Client& client, const char* action, const Request& request,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                          Response*),
             Show show) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  Response response;
  const grpc::Status status =
      (connection->jobs.get()->*method)(&context, request, &response);
  if (!status.ok()) return ReportError(action, status);
  if (client.json) {
    PrintJson(response);
  } else {
    show(response);
  }
  return kExitOk;
}

struct ListFlags {
  std::string status;
  std::string type;
  std::string intent;
  int limit = 50;
};

int List(const Client& client, const ListFlags& flags) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError("list jobs", connection.status());
  intent::v1::ListJobsRequest request;
  if (!flags.status.empty()) {
    intent::v1::JobStatus wanted = intent::v1::JOB_STATUS_UNSPECIFIED;
    if (!intent::v1::JobStatus_Parse(absl::StrCat("JOB_STATUS_", flags.status),
                                     &wanted)) {
      return ReportError("list jobs",
                         absl::InvalidArgumentError(absl::StrCat(
                             "`", flags.status,
                             "` is no status; QUEUED, RUNNING, SUCCEEDED, "
                             "FAILED and CANCELED are")));
    }
    request.mutable_filter()->set_status(wanted);
  }
  request.mutable_filter()->set_job_type(flags.type);
  request.mutable_filter()->set_intent_id(flags.intent);
  int left = flags.limit;
  do {
    request.set_page_size(std::min(left, kPageMax));
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::ListJobsResponse response;
    const grpc::Status status =
        connection->jobs->ListJobs(&context, request, &response);
    if (!status.ok()) return ReportError("list jobs", status);
    for (const Job& job : response.jobs()) {
      if (client.json) {
        PrintJson(job);
      } else {
        PrintRow(job);
      }
    }
    left -= response.jobs_size();
    request.set_page_token(response.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  return kExitOk;
}

int Get(const Client& client, const std::string& id) {
  intent::v1::GetJobRequest request;
  request.set_id(id);
  return CallOnce(client, "get job", request, &Stub::GetJob,
                  [](const auto& response) { PrintJob(response.job()); });
}

int Cancel(const Client& client, const std::string& id) {
  intent::v1::CancelJobRequest request;
  request.set_id(id);
  return CallOnce(client, "cancel job", request, &Stub::CancelJob,
                  [](const auto& response) {
                    PrintJob(response.job());
                    PrintIntent(response.intent());
                  });
}

struct LeaseFlags {
  std::vector<std::string> types;
  int count = 1;
  int lease_seconds = 60;
  int wait_seconds = 0;
};

int Lease(const Client& client, const LeaseFlags& flags) {
  intent::v1::LeaseJobsRequest request;
  for (const std::string& type : flags.types) request.add_job_types(type);
  request.set_max_jobs(flags.count);
  request.mutable_lease()->set_seconds(flags.lease_seconds);
  request.mutable_wait()->set_seconds(flags.wait_seconds);
  return CallOnce(client, "lease jobs", request, &Stub::LeaseJobs,
                  [](const auto& response) {
                    for (const auto& lease : response.leases()) {
                      PrintLease(lease);
                    }
                  });
}

// A lease, and what came of it.
struct EndFlags {
  std::string id;
  std::string token;
  std::string text;
  bool final = false;
};

int Complete(const Client& client, const EndFlags& flags) {
  const absl::StatusOr<std::string> output = ReadArgument(flags.text);
  if (!output.ok()) return ReportError("complete job", output.status());
  intent::v1::CompleteJobRequest request;
  request.set_id(flags.id);
  request.set_lease_token(flags.token);
  request.set_output(*output);
  return CallOnce(client, "complete job", request, &Stub::CompleteJob,
                  [](const auto& response) { PrintJob(response.job()); });
}

int Fail(const Client& client, const EndFlags& flags) {
  intent::v1::FailJobRequest request;
  request.set_id(flags.id);
  request.set_lease_token(flags.token);
  request.set_error(flags.text);
  request.set_retryable(!flags.final);
  return CallOnce(client, "fail job", request, &Stub::FailJob,
                  [](const auto& response) { PrintJob(response.job()); });
}

void AddOperatorsVerbs(CLI::App& jobs, Client& client, Run& run) {
  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list =
      jobs.add_subcommand("list", "list the tenant's, newest first");
  list->footer("example:\n  intentctl jobs list --status FAILED");
  list->add_option("--status", list_flags->status,
                   "QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELED");
  list->add_option("--type", list_flags->type, "only of this job type");
  list->add_option("--intent", list_flags->intent, "only this intent's");
  list->add_option("--limit", list_flags->limit, "how many at most")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  list->callback([&client, &run, list_flags] {
    UseToken(client, "operator");
    run = [&client, list_flags] { return List(client, *list_flags); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* get = jobs.add_subcommand("get", "show one");
  get->footer("example:\n  intentctl jobs get 0190d3f6-…");
  get->add_option("ID", *id, "the job's id")->required();
  get->callback([&client, &run, id] {
    UseToken(client, "operator");
    run = [&client, id] { return Get(client, *id); };
  });

  CLI::App* cancel =
      jobs.add_subcommand("cancel", "end one, and its intent with it");
  cancel->footer("example:\n  intentctl jobs cancel 0190d3f6-…");
  cancel->add_option("ID", *id, "the job's id")->required();
  cancel->callback([&client, &run, id] {
    UseToken(client, "operator");
    run = [&client, id] { return Cancel(client, *id); };
  });
}

void AddWorkersVerbs(CLI::App& jobs, Client& client, Run& run) {
  auto lease_flags = std::make_shared<LeaseFlags>();
  CLI::App* lease = jobs.add_subcommand("lease", "lease some, as a worker");
  lease->footer("example:\n  intentctl jobs lease EMAIL_SEND --wait 20");
  lease->add_option("TYPE", lease_flags->types, "job types")->required();
  lease->add_option("--count", lease_flags->count, "how many at most")
      ->capture_default_str();
  lease
      ->add_option("--lease", lease_flags->lease_seconds,
                   "seconds until the lease ends")
      ->capture_default_str();
  lease
      ->add_option("--wait", lease_flags->wait_seconds,
                   "seconds to wait for jobs, below --timeout")
      ->capture_default_str();
  lease->callback([&client, &run, lease_flags] {
    UseToken(client, "worker");
    run = [&client, lease_flags] { return Lease(client, *lease_flags); };
  });

  auto flags = std::make_shared<EndFlags>();
  CLI::App* complete = jobs.add_subcommand(
      "complete", "end one that went well, and its intent with it");
  complete->footer(
      "example:\n  intentctl jobs complete JOB_ID LEASE_TOKEN --output '{}'");
  complete->add_option("--output", flags->text,
                       "a JSON object; @FILE reads it, @- from stdin");
  CLI::App* fail = jobs.add_subcommand("fail", "say that a try failed");
  fail->footer(
      "example:\n  intentctl jobs fail JOB_ID LEASE_TOKEN --error 'no line'");
  fail->add_option("--error", flags->text, "what went wrong; required")
      ->required();
  fail->add_flag("--final", flags->final, "no further try would go better");
  for (CLI::App* verb : {complete, fail}) {
    verb->add_option("ID", flags->id, "the job's id")->required();
    verb->add_option("TOKEN", flags->token, "the lease's token")->required();
  }
  complete->callback([&client, &run, flags] {
    UseToken(client, "worker");
    run = [&client, flags] { return Complete(client, *flags); };
  });
  fail->callback([&client, &run, flags] {
    UseToken(client, "worker");
    run = [&client, flags] { return Fail(client, *flags); };
  });
}

}  // namespace

void AddJobsCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* jobs = app.add_subcommand("jobs", "see, cancel and do jobs");
  jobs->require_subcommand(1);
  jobs->fallthrough();
  AddOperatorsVerbs(*jobs, client, run);
  AddWorkersVerbs(*jobs, client, run);
}

}  // namespace sgl::tools
