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
#include <gtest/gtest.h>

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

TEST(AuthorizationMatrixTest, NoMethodAnswersWithoutACredentialThatIsGood) {
  TwoTenants tenants;
  const std::string before =
      tenants.served().Value("SELECT count(*) FROM audit_log");
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
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
  };
  return texts;
}

bool IsId(const std::string& name) {
  const std::vector<std::string> steps = absl::StrSplit(name, '.');
  const std::string& last = steps.back();
  // Not what the caller makes up, nor what is no row's.
  return last != "request_id" && last != "tenant_id" &&
         (last == "id" || last == "ids" || absl::EndsWith(last, "_id") ||
          absl::EndsWith(last, "_ids"));
}

std::unique_ptr<Message> RequestFor(const MethodDescriptor& method,
                                    const SetText& set_id,
                                    const std::string& id) {
  std::unique_ptr<Message> request = EmptyRequest(method);
  ForEachTextField(method, [&](const std::string& name, const SetText& set) {
    const auto found = Plausible().find(name);
    if (found != Plausible().end()) set(request.get(), found->second);
    if (name == "request_id") set(request.get(), storage::NewUuid());
  });
  set_id(request.get(), id);
  return request;
}

// The answer with the id that was asked for taken out.
std::string TextWithout(const AnyAnswer& answer, const std::string& id) {
  return absl::StrReplaceAll(answer.Text(), {{id, "ID"}});
}

TEST(AuthorizationMatrixTest, AnotherTenantsIdIsLikeOneThatDoesNotExist) {
  TwoTenants tenants;
  const std::vector<std::string> foreign = tenants.ForeignIds();
  const std::string before = tenants.ForeignState();
  std::set<std::string> not_found;
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    const MethodRule* rule = TryRule(*method);
    if (rule == nullptr || method->server_streaming()) continue;
    ForEachTextField(*method, [&](const std::string& name, const SetText& set) {
      if (!IsId(name)) return;
      for (const CallerKind& caller : tenants.callers()) {
        if (!IsMay(*rule, caller.kind) || caller.name == "system operator") {
          continue;
        }
        const auto ask = [&](const std::string& id) {
          const AnyAnswer answer =
              CallAny(tenants.channel(), *method, caller.token,
                      *RequestFor(*method, set, id));
          if (answer.status.error_code() == grpc::StatusCode::NOT_FOUND) {
            not_found.insert(method->name());
          }
          return TextWithout(answer, id);
        };
        const std::string absent = ask(storage::NewUuid());
        for (const std::string& id : foreign) {
          SCOPED_TRACE(absl::StrCat(method->full_name(), " ", name, " as ",
                                    caller.name));
          EXPECT_EQ(ask(id), absent);
        }
      }
    });
  }
  // The requests were good enough to be looked up.
  for (const char* name : {"GetIntent", "CancelIntent", "GetDecisionMemo",
                           "ApproveDecisionMemo", "RejectDecisionMemo"}) {
    EXPECT_EQ(not_found.count(name), 1u) << name;
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
