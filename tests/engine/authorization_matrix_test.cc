// Proves who may call what, for every method that the server serves, by calling
// each as every kind of principal and with credentials that are none, and with
// the ids of another tenant; and that docs/api.md says the same. The methods
// are found by reflection: one that has no row in the table fails here.

#include <absl/container/flat_hash_map.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/files.h"
#include "engine/rpc/authorization.h"
#include "storage/uuid.h"
#include "tests/engine/any_method.h"
#include "tests/engine/two_tenants.h"

namespace sgl::testing {
namespace {

using engine::AuthorizationTable;
using engine::MethodRule;

const MethodRule* TryRule(const MethodDescriptor& method) {
  for (const MethodRule& rule : AuthorizationTable()) {
    if (rule.name == method.name()) return &rule;
  }
  return nullptr;
}

bool IsMay(const MethodRule& rule, storage::PrincipalKind kind) {
  return (rule.kinds & engine::KindBit(kind)) != 0;
}

// A stream that lets its caller in may have nothing to say.
absl::Duration TimeoutOf(const MethodDescriptor& method, bool may) {
  return method.server_streaming() && may ? absl::Seconds(2)
                                          : absl::Seconds(30);
}

TEST(AuthorizationMatrixTest, TableAndServicesHaveTheSameMethods) {
  ServedEngine served({});
  const auto channel = grpc::CreateChannel(served.server().address(),
                                           grpc::InsecureChannelCredentials());
  std::multiset<std::string> in_services;
  for (const MethodDescriptor* method : ServedMethods(channel)) {
    in_services.insert(method->name());
    EXPECT_NE(TryRule(*method), nullptr)
        << method->full_name() << " needs a row in engine/rpc/authorization";
  }
  for (const MethodRule& rule : AuthorizationTable()) {
    EXPECT_EQ(in_services.count(std::string(rule.name)), 1u) << rule.name;
    EXPECT_NE(rule.kinds, 0) << rule.name;
  }
}

TEST(AuthorizationMatrixTest, EachMethodTakesItsKindsAndNoOthers) {
  TwoTenants tenants;
  int calls = 0;
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    const MethodRule* rule = TryRule(*method);
    if (rule == nullptr) continue;
    const auto request = EmptyRequest(*method);
    for (const CallerKind& caller : tenants.callers()) {
      SCOPED_TRACE(absl::StrCat(method->full_name(), " as ", caller.name));
      const bool may = IsMay(*rule, caller.kind);
      const AnyAnswer answer = CallAny(tenants.channel(), *method, caller.token,
                                       *request, TimeoutOf(*method, may));
      const bool refused = ReasonOf(answer.status) == "WRONG_PRINCIPAL_KIND";
      EXPECT_EQ(refused, !may) << answer.Text();
      if (refused) {
        EXPECT_EQ(answer.status.error_code(),
                  grpc::StatusCode::PERMISSION_DENIED);
        EXPECT_EQ(answer.response, nullptr);
      }
      EXPECT_NE(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
      EXPECT_NE(answer.status.error_code(), grpc::StatusCode::UNIMPLEMENTED)
          << answer.Text();
      ++calls;
    }
  }
  EXPECT_GE(calls, 9 * 5);
}

// Calls the methods of one service with credentials that are none. On an engine
// of their own: one source may send only so many.
void ExpectClosed(const std::vector<const MethodDescriptor*>& methods) {
  TwoTenants tenants;
  const std::string before =
      tenants.served().Value("SELECT count(*) FROM audit_log");
  for (const MethodDescriptor* method : methods) {
    for (const CallerKind& caller : tenants.refused()) {
      SCOPED_TRACE(absl::StrCat(method->full_name(), " with ", caller.name));
      const AnyAnswer answer = CallAny(tenants.channel(), *method, caller.token,
                                       *EmptyRequest(*method));
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << answer.Text();
      EXPECT_EQ(answer.response, nullptr);
      EXPECT_FALSE(answer.was_cut);
    }
  }
  // Nor is any of it written one by one.
  EXPECT_EQ(tenants.served().Value("SELECT count(*) FROM audit_log"), before);
}

TEST(AuthorizationMatrixTest, NoMethodAnswersWithoutACredentialThatIsGood) {
  ServedEngine served({});
  std::map<std::string, std::vector<const MethodDescriptor*>> services;
  for (const MethodDescriptor* method : ServedMethods(grpc::CreateChannel(
           served.server().address(), grpc::InsecureChannelCredentials()))) {
    services[method->service()->full_name()].push_back(method);
  }
  EXPECT_GE(services.size(), 3u);
  for (const auto& [service, methods] : services) ExpectClosed(methods);
}

// What the named fields hold, so that a request gets as far as its id.
const absl::flat_hash_map<std::string, std::string>& Plausible() {
  static const auto& texts = *new absl::flat_hash_map<std::string, std::string>{
      {"payload_sha256", std::string(64, '0')},
      {"items.payload_sha256", std::string(64, '0')},
      {"comment", "because"},
      {"reason", "because"},
      {"reason_code", "BIG_SPEND"},
      {"intent_type", "POST"},
      {"payload", R"({"text": "hi"})"},
      {"name", "a name"},
      {"email", "somebody@acme.example"},
      {"role", "member"},
      {"slug", "a-slug"},
      {"update_mask.paths", "role"},
      {"lease_token", "00000000-0000-4000-8000-000000000000"},
      {"error", "it broke"},
  };
  return texts;
}

// Whether a field names a row: by its id, or by what people call it.
bool IsId(const std::string& name) {
  const std::vector<std::string> steps = absl::StrSplit(name, '.');
  const std::string& last = steps.back();
  static const auto& kNames =
      *new std::set<std::string>{"id",    "ids",       "agent",  "member",
                                 "owner", "principal", "tenant", "to_email"};
  // A request id is what the caller makes up.
  return last != "request_id" &&
         (kNames.count(last) > 0 || absl::EndsWith(last, "_id") ||
          absl::EndsWith(last, "_ids"));
}

// Sets the request's `end_time`, where it has one, to an hour from now.
void SetTimes(Message* request) {
  using google::protobuf::Timestamp;
  for (int i = 0; i < request->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = request->GetDescriptor()->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        field->message_type() != Timestamp::descriptor() ||
        field->name() != "end_time") {
      continue;
    }
    Timestamp time;
    time.set_seconds(absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
    request->GetReflection()->MutableMessage(request, field)->CopyFrom(time);
  }
}

// Fills a request so that it gets as far as its id. Its enums are what decides
// which row is meant: each is set to `number`, or to its last.
std::unique_ptr<Message> RequestFor(const MethodDescriptor& method,
                                    const SetText& set_id,
                                    const std::string& id, int number) {
  std::unique_ptr<Message> request = EmptyRequest(method);
  ForEachTextField(method, [&](const std::string& name, const SetText& set) {
    const auto found = Plausible().find(name);
    if (found != Plausible().end()) set(request.get(), found->second);
    if (name == "request_id") set(request.get(), storage::NewUuid());
  });
  for (int i = 0; i < method.input_type()->field_count(); ++i) {
    const FieldDescriptor* field = method.input_type()->field(i);
    if (field->type() != FieldDescriptor::TYPE_ENUM) continue;
    request->GetReflection()->SetEnumValue(
        request.get(), field,
        std::min(number, field->enum_type()->value_count() - 1));
  }
  SetTimes(request.get());
  set_id(request.get(), id);
  return request;
}

// Returns how often a request is tried: once, or for each of its enums' values.
int VariantsOf(const MethodDescriptor& method) {
  int most = 1;
  for (int i = 0; i < method.input_type()->field_count(); ++i) {
    const FieldDescriptor* field = method.input_type()->field(i);
    if (field->type() != FieldDescriptor::TYPE_ENUM) continue;
    most = std::max(most, field->enum_type()->value_count() - 1);
  }
  return most;
}

// The answer with the id that was asked for taken out.
std::string TextWithout(const AnyAnswer& answer, const std::string& id) {
  return absl::StrReplaceAll(answer.Text(), {{id, "ID"}});
}

// Asks for one row of another tenant after the other.
class Prober {
 public:
  explicit Prober(TwoTenants* tenants)
      : tenants_(tenants), foreign_(tenants->ForeignIds()) {
    foreign_.push_back(tenants->other().slug);
    foreign_.push_back(
        absl::StrCat("carol@", tenants->other().slug, ".example"));
  }

  void Probe(const MethodDescriptor& method, const CallerKind& caller,
             const std::string& field, const SetText& set) {
    SCOPED_TRACE(
        absl::StrCat(method.full_name(), " ", field, " as ", caller.name));
    for (int number = 1; number <= VariantsOf(method); ++number) {
      const auto ask = [&](const std::string& id) {
        const AnyAnswer answer =
            CallAny(tenants_->channel(), method, caller.token,
                    *RequestFor(method, set, id, number));
        if (answer.status.error_code() == grpc::StatusCode::NOT_FOUND) {
          not_found_.insert(method.name());
        }
        return TextWithout(answer, id);
      };
      const std::string no_id = ask(storage::NewUuid());
      const std::string no_slug = ask("no-such-slug");
      const std::string no_email = ask("nobody@nowhere.example");
      for (const std::string& id : foreign_) {
        EXPECT_EQ(ask(id), absl::StrContains(id, "@")     ? no_email
                           : id == tenants_->other().slug ? no_slug
                                                          : no_id)
            << id;
      }
    }
  }

  // Methods that looked something up and did not find it.
  const std::set<std::string>& not_found() const { return not_found_; }

 private:
  TwoTenants* const tenants_;
  std::vector<std::string> foreign_;
  std::set<std::string> not_found_;
};

TEST(AuthorizationMatrixTest, AnotherTenantsIdIsLikeOneThatDoesNotExist) {
  TwoTenants tenants;
  Prober prober(&tenants);
  const std::string before = tenants.ForeignState();
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    const MethodRule* rule = TryRule(*method);
    if (rule == nullptr || method->server_streaming()) continue;
    ForEachTextField(*method, [&](const std::string& name, const SetText& set) {
      if (!IsId(name)) return;
      for (const CallerKind& caller : tenants.callers()) {
        // The platform's operators may name any tenant.
        if (IsMay(*rule, caller.kind) && caller.name != "system operator") {
          prober.Probe(*method, caller, name, set);
        }
      }
    });
  }
  // The requests were good enough to be looked up.
  for (const char* name : {"GetIntent",
                           "CancelIntent",
                           "GetDecisionMemo",
                           "ApproveDecisionMemo",
                           "RejectDecisionMemo",
                           "EditDecisionMemo",
                           "CreateDelegation",
                           "RevokeDelegation",
                           "SetKillSwitch",
                           "GetKillSwitch",
                           "CreateAgent",
                           "UpdateAgent",
                           "ListAgents",
                           "SetMemberRoles",
                           "RemoveMember",
                           "CreateToken",
                           "RevokeToken",
                           "ListTokens",
                           "HeartbeatJob",
                           "CompleteJob",
                           "FailJob",
                           "GetJob",
                           "GetTicket",
                           "GetCrmContact",
                           "GetLedgerEntry",
                           "CancelJob"}) {
    EXPECT_EQ(prober.not_found().count(name), 1u) << name;
  }
  EXPECT_EQ(tenants.ForeignState(), before);
}

// A method's cells, by the docs: agent, user, worker, operator.
absl::flat_hash_map<std::string, std::vector<bool>> DocumentedTable() {
  const auto text = engine::ReadFile("docs/api.md");
  EXPECT_TRUE(text.ok()) << text.status();
  absl::flat_hash_map<std::string, std::vector<bool>> table;
  bool within = false;
  for (absl::string_view line : absl::StrSplit(text.value_or(""), '\n')) {
    if (absl::StartsWith(line, "| method | agent | user | worker |")) {
      within = true;
    } else if (within && !absl::StartsWith(line, "|")) {
      break;
    }
    if (!within || !absl::StartsWith(line, "| `")) continue;
    const std::vector<std::string> cells = absl::StrSplit(line, '|');
    EXPECT_EQ(cells.size(), 7u) << line;
    if (cells.size() != 7) continue;
    std::vector<bool> may;
    for (size_t i = 2; i < 6; ++i) {
      may.push_back(!absl::StripAsciiWhitespace(cells[i]).empty());
    }
    for (absl::string_view name : absl::StrSplit(cells[1], ',')) {
      const std::string method =
          absl::StrReplaceAll(name, {{"`", ""}, {" ", ""}});
      EXPECT_TRUE(table.emplace(method, may).second) << method << " twice";
    }
  }
  return table;
}

TEST(AuthorizationMatrixTest, TheDocsSayTheSame) {
  auto documented = DocumentedTable();
  for (const MethodRule& rule : AuthorizationTable()) {
    SCOPED_TRACE(std::string(rule.name));
    const auto found = documented.find(std::string(rule.name));
    if (found == documented.end()) {
      ADD_FAILURE() << "no row in docs/api.md, `Who calls`";
      continue;
    }
    for (size_t kind = 0; kind < 4; ++kind) {
      EXPECT_EQ(found->second[kind],
                IsMay(rule, static_cast<storage::PrincipalKind>(kind)))
          << storage::PrincipalKindName(
                 static_cast<storage::PrincipalKind>(kind));
    }
    documented.erase(found);
  }
  for (const auto& row : documented) {
    ADD_FAILURE() << "docs/api.md names " << row.first
                  << ", which no service has";
  }
}

}  // namespace
}  // namespace sgl::testing
