// `intentctl tickets|documents|contacts|companies|segments|ledger …`: what
// effects wrote, read over gRPC.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "intent/v1/read_service.grpc.pb.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

using google::protobuf::util::TimeUtil;
using Stub = intent::v1::ReadService::Stub;

constexpr int kPageMax = 200;

// The enum's name in front of its values, such as `TICKET_STATUS_`.
std::string PrefixOf(const google::protobuf::EnumDescriptor& type) {
  constexpr size_t kUnspecified = sizeof("UNSPECIFIED") - 1;
  const std::string& first = type.value(0)->name();
  return first.substr(0, first.size() - kUnspecified);
}

// `IN_PROGRESS`.
template <typename Enum>
std::string NameOf(Enum value) {
  const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
  const auto* known = type.FindValueByNumber(static_cast<int>(value));
  return known == nullptr ? absl::StrCat(static_cast<int>(value))
                          : known->name().substr(PrefixOf(type).size());
}

// Reads a value by its name, in capital or small letters; what is empty is
// UNSPECIFIED. INVALID_ARGUMENT naming those that there are.
template <typename Enum>
absl::StatusOr<Enum> ValueOf(const std::string& name) {
  const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
  if (name.empty()) return static_cast<Enum>(0);
  std::vector<std::string> known;
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string value =
        type.value(i)->name().substr(PrefixOf(type).size());
    if (value == absl::AsciiStrToUpper(name)) {
      return static_cast<Enum>(type.value(i)->number());
    }
    known.push_back(value);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("`", name, "` is none of ", absl::StrJoin(known, ", ")));
}

// Prints every field that is set, one a line.
void PrintFields(const google::protobuf::Message& message) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* field = type.field(i);
    const std::string label = absl::StrReplaceAll(field->name(), {{"_", " "}});
    if (field->is_repeated()) {
      for (int n = 0; n < reflection.FieldSize(message, field); ++n) {
        PrintLine(label, reflection.GetRepeatedString(message, field, n));
      }
    } else if (field->type() == field->TYPE_STRING) {
      PrintLine(label, reflection.GetString(message, field));
    } else if (field->type() == field->TYPE_INT64) {
      PrintLine(label, absl::StrCat(reflection.GetInt64(message, field)));
    } else if (field->type() == field->TYPE_ENUM) {
      const auto* value = reflection.GetEnum(message, field);
      PrintLine(label, value->name().substr(PrefixOf(*value->type()).size()));
    } else if (reflection.HasField(message, field)) {
      PrintLine(label, TimeUtil::ToString(
                           static_cast<const google::protobuf::Timestamp&>(
                               reflection.GetMessage(message, field))));
    }
  }
}

void PrintWords(const std::vector<std::string>& words) {
  std::cout << Printable(absl::StrJoin(words, "  ")) << "\n";
}

void PrintRow(const intent::v1::Ticket& row) {
  PrintWords({row.id(), NameOf(row.status()), NameOf(row.severity()),
              NameOf(row.category()), row.title()});
}

void PrintRow(const intent::v1::TicketComment& row) {
  PrintWords({TimeUtil::ToString(row.create_time()), row.author(), row.body()});
}

void PrintRow(const intent::v1::KbDocument& row) {
  PrintWords({row.id(), NameOf(row.status()), row.slug(), row.title()});
}

void PrintRow(const intent::v1::KbDocumentMatch& row) {
  PrintWords({row.id(), row.slug(), row.title()});
  PrintWords({"  ", row.snippet()});
}

void PrintRow(const intent::v1::CrmContact& row) {
  PrintWords({row.id(), row.email(), row.first_name(), row.last_name(),
              row.company()});
}

void PrintRow(const intent::v1::CrmCompany& row) {
  PrintWords({row.id(), row.domain(), row.name()});
}

void PrintRow(const intent::v1::CrmSegment& row) {
  PrintWords({row.id(), row.name(), row.filters()});
}

void PrintRow(const intent::v1::LedgerEntry& row) {
  PrintWords({row.id(), TimeUtil::ToString(row.occur_time()),
              NameOf(row.entry_type()), NameOf(row.category()),
              absl::StrFormat("%d.%02d %s", row.amount_cents() / 100,
                              row.amount_cents() % 100, row.currency()),
              row.description()});
}

template <typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&,
                                      Response*);

// Calls until `limit` rows were shown or there are no more. `rows` takes them
// out of an answer.
template <typename Request, typename Response, typename Rows>
int ListAll(const Client& client, const char* action, Request request,
            int limit, Method<Request, Response> method, Rows rows) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  do {
    request.set_page_size(std::min(limit, kPageMax));
    grpc::ClientContext context;
    connection->Prepare(context);
    Response response;
    const grpc::Status status =
        (connection->reads.get()->*method)(&context, request, &response);
    if (!status.ok()) return ReportError(action, status);
    for (const auto& row : rows(response)) {
      if (client.json) {
        PrintJson(row);
      } else {
        PrintRow(row);
      }
      --limit;
    }
    request.set_page_token(response.next_page_token());
  } while (limit > 0 && !request.page_token().empty());
  return kExitOk;
}

// Calls once; `row` takes what is shown out of the answer.
template <typename Request, typename Response, typename Row>
int GetOne(const Client& client, const char* action, const Request& request,
           Method<Request, Response> method, Row row) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return ReportError(action, connection.status());
  grpc::ClientContext context;
  connection->Prepare(context);
  Response response;
  const grpc::Status status =
      (connection->reads.get()->*method)(&context, request, &response);
  if (!status.ok()) return ReportError(action, status);
  if (client.json) {
    PrintJson(row(response));
  } else {
    PrintFields(row(response));
  }
  return kExitOk;
}

// What the verbs' flags say. Each verb uses some.
struct Flags {
  std::string id;
  std::string text;
  std::string status;
  std::string severity;
  std::string category;
  std::string type;
  int limit = 50;
};

int ListTickets(const Client& client, const Flags& flags) {
  intent::v1::ListTicketsRequest request;
  const auto status = ValueOf<intent::v1::TicketStatus>(flags.status);
  const auto severity = ValueOf<intent::v1::TicketSeverity>(flags.severity);
  const auto category = ValueOf<intent::v1::TicketCategory>(flags.category);
  for (const absl::Status& read :
       {status.status(), severity.status(), category.status()}) {
    if (!read.ok()) return ReportError("list tickets", read);
  }
  request.mutable_filter()->set_status(*status);
  request.mutable_filter()->set_severity(*severity);
  request.mutable_filter()->set_category(*category);
  return ListAll(client, "list tickets", request, flags.limit,
                 &Stub::ListTickets,
                 [](const auto& response) { return response.tickets(); });
}

int GetTicket(const Client& client, const Flags& flags) {
  intent::v1::GetTicketRequest request;
  request.set_id(flags.id);
  return GetOne(client, "get ticket", request, &Stub::GetTicket,
                [](const auto& response) { return response.ticket(); });
}

int ListComments(const Client& client, const Flags& flags) {
  intent::v1::ListTicketCommentsRequest request;
  request.mutable_filter()->set_ticket_id(flags.id);
  return ListAll(
      client, "list comments", request, flags.limit, &Stub::ListTicketComments,
      [](const auto& response) { return response.ticket_comments(); });
}

int ListDocuments(const Client& client, const Flags& flags) {
  intent::v1::ListKbDocumentsRequest request;
  const auto status = ValueOf<intent::v1::KbDocumentStatus>(flags.status);
  if (!status.ok()) return ReportError("list documents", status.status());
  request.mutable_filter()->set_status(*status);
  return ListAll(client, "list documents", request, flags.limit,
                 &Stub::ListKbDocuments,
                 [](const auto& response) { return response.kb_documents(); });
}

int GetDocument(const Client& client, const Flags& flags) {
  intent::v1::GetKbDocumentRequest request;
  request.set_id(flags.id);
  request.set_slug(flags.text);
  return GetOne(client, "get document", request, &Stub::GetKbDocument,
                [](const auto& response) { return response.kb_document(); });
}

int Search(const Client& client, const Flags& flags) {
  intent::v1::SearchKbDocumentsRequest request;
  request.set_query(flags.text);
  return ListAll(client, "search documents", request, flags.limit,
                 &Stub::SearchKbDocuments,
                 [](const auto& response) { return response.matches(); });
}

int ListContacts(const Client& client, const Flags& flags) {
  intent::v1::ListCrmContactsRequest request;
  request.mutable_filter()->set_email(flags.text);
  return ListAll(client, "list contacts", request, flags.limit,
                 &Stub::ListCrmContacts,
                 [](const auto& response) { return response.crm_contacts(); });
}

int GetContact(const Client& client, const Flags& flags) {
  intent::v1::GetCrmContactRequest request;
  request.set_id(flags.id);
  return GetOne(client, "get contact", request, &Stub::GetCrmContact,
                [](const auto& response) { return response.crm_contact(); });
}

int ListCompanies(const Client& client, const Flags& flags) {
  intent::v1::ListCrmCompaniesRequest request;
  request.mutable_filter()->set_domain(flags.text);
  return ListAll(client, "list companies", request, flags.limit,
                 &Stub::ListCrmCompanies,
                 [](const auto& response) { return response.crm_companies(); });
}

int ListSegments(const Client& client, const Flags& flags) {
  intent::v1::ListCrmSegmentsRequest request;
  request.mutable_filter()->set_name(flags.text);
  return ListAll(client, "list segments", request, flags.limit,
                 &Stub::ListCrmSegments,
                 [](const auto& response) { return response.crm_segments(); });
}

int ListEntries(const Client& client, const Flags& flags) {
  intent::v1::ListLedgerEntriesRequest request;
  const auto type = ValueOf<intent::v1::LedgerEntryType>(flags.type);
  const auto category = ValueOf<intent::v1::LedgerCategory>(flags.category);
  for (const absl::Status& read : {type.status(), category.status()}) {
    if (!read.ok()) return ReportError("list ledger entries", read);
  }
  request.mutable_filter()->set_entry_type(*type);
  request.mutable_filter()->set_category(*category);
  request.mutable_filter()->set_intent_id(flags.text);
  return ListAll(client, "list ledger entries", request, flags.limit,
                 &Stub::ListLedgerEntries, [](const auto& response) {
                   return response.ledger_entries();
                 });
}

int GetEntry(const Client& client, const Flags& flags) {
  intent::v1::GetLedgerEntryRequest request;
  request.set_id(flags.id);
  return GetOne(client, "get ledger entry", request, &Stub::GetLedgerEntry,
                [](const auto& response) { return response.ledger_entry(); });
}

// Adds nouns and verbs that run on one Flags each.
class Verbs {
 public:
  Verbs(Client* client, Run* run) : client_(client), run_(run) {}

  CLI::App* Noun(CLI::App& app, const char* name, const char* about) {
    noun_ = app.add_subcommand(name, about);
    noun_->require_subcommand(1);
    noun_->fallthrough();
    return noun_;
  }

  // A verb that lists, with --limit.
  CLI::App* List(const char* name, const char* about, const char* example,
                 int (*work)(const Client&, const Flags&), Flags** flags) {
    CLI::App* verb = Get(name, about, example, work, flags);
    verb->add_option("--limit", (*flags)->limit, "how many at most")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    return verb;
  }

  // `flags` live as long as the verb.
  CLI::App* Get(const char* name, const char* about, const char* example,
                int (*work)(const Client&, const Flags&), Flags** flags) {
    CLI::App* verb = noun_->add_subcommand(name, about);
    verb->footer(absl::StrCat("example:\n  intentctl ", example));
    const auto owned = std::make_shared<Flags>();
    *flags = owned.get();
    verb->callback([client = client_, run = run_, owned, work] {
      if (client->principal.empty()) client->principal = "agent";
      *run = [client, owned, work] { return work(*client, *owned); };
    });
    return verb;
  }

 private:
  Client* const client_;
  Run* const run_;
  CLI::App* noun_ = nullptr;
};

void AddTickets(CLI::App& app, Verbs& verbs) {
  Flags* flags = nullptr;
  verbs.Noun(app, "tickets", "read tickets and what was said about them");
  CLI::App* list =
      verbs.List("list", "list the tenant's, newest first",
                 "tickets list --status OPEN", ListTickets, &flags);
  list->add_option("--status", flags->status,
                   "OPEN, TRIAGED, IN_PROGRESS or CLOSED");
  list->add_option("--severity", flags->severity,
                   "LOW, MEDIUM, HIGH or BLOCKER");
  list->add_option("--category", flags->category,
                   "BUG, UX, GUARDRAIL, PERFORMANCE or OTHER");
  CLI::App* get =
      verbs.Get("get", "show one", "tickets get 0190d3f6-…", GetTicket, &flags);
  get->add_option("ID", flags->id, "the ticket's id")->required();
  CLI::App* comments =
      verbs.List("comments", "list a ticket's comments, oldest first",
                 "tickets comments 0190d3f6-…", ListComments, &flags);
  comments->add_option("ID", flags->id, "the ticket's id")->required();
}

void AddDocuments(CLI::App& app, Verbs& verbs) {
  Flags* flags = nullptr;
  verbs.Noun(app, "documents", "search and read the knowledge base");
  CLI::App* search = verbs.List(
      "search", "find published documents, best first",
      "documents search 'refund \"chargeback fee\" -draft'", Search, &flags);
  search->add_option("QUERY", flags->text, "words that must occur")->required();
  CLI::App* list =
      verbs.List("list", "list the tenant's, newest first",
                 "documents list --status published", ListDocuments, &flags);
  list->add_option("--status", flags->status, "draft, published or archived");
  CLI::App* get =
      verbs.Get("get", "show one with its text", "documents get --slug refunds",
                GetDocument, &flags);
  get->add_option("ID", flags->id, "the document's id");
  get->add_option("--slug", flags->text, "its slug, instead of the id");
}

void AddCrm(CLI::App& app, Verbs& verbs) {
  Flags* flags = nullptr;
  verbs.Noun(app, "contacts", "read contacts");
  CLI::App* list = verbs.List("list", "list the tenant's, newest first",
                              "contacts list --email ann@acme.example",
                              ListContacts, &flags);
  list->add_option("--email", flags->text, "only with this address");
  CLI::App* get = verbs.Get("get", "show one", "contacts get 0190d3f6-…",
                            GetContact, &flags);
  get->add_option("ID", flags->id, "the contact's id")->required();
  verbs.Noun(app, "companies", "read companies");
  CLI::App* companies =
      verbs.List("list", "list the tenant's, newest first",
                 "companies list --domain acme.example", ListCompanies, &flags);
  companies->add_option("--domain", flags->text, "only with this domain");
  verbs.Noun(app, "segments", "read segments of contacts");
  CLI::App* segments = verbs.List("list", "list the tenant's, newest first",
                                  "segments list", ListSegments, &flags);
  segments->add_option("--name", flags->text, "only of this name");
}

void AddLedger(CLI::App& app, Verbs& verbs) {
  Flags* flags = nullptr;
  verbs.Noun(app, "ledger", "read the ledger, and check what intents spent");
  CLI::App* list =
      verbs.List("list", "list the tenant's, latest first",
                 "ledger list --category refund", ListEntries, &flags);
  list->add_option("--type", flags->type, "credit or debit");
  list->add_option("--category", flags->category,
                   "subscription, token_spend, api_spend, refund, chargeback, "
                   "payout or misc");
  list->add_option("--intent", flags->text,
                   "only what this intent posted and spent");
  CLI::App* get =
      verbs.Get("get", "show one", "ledger get 0190d3f6-…", GetEntry, &flags);
  get->add_option("ID", flags->id, "the entry's id")->required();
}

}  // namespace

void AddReadsCommands(CLI::App& app, Client& client, Run& run) {
  Verbs verbs(&client, &run);
  AddTickets(app, verbs);
  AddDocuments(app, verbs);
  AddCrm(app, verbs);
  AddLedger(app, verbs);
}

}  // namespace sgl::tools
