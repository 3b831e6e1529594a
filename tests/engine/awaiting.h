// An engine with one intent that waits for people: where the tests of votes,
// edits, delegations and escalations begin.

#ifndef TESTS_ENGINE_AWAITING_H_
#define TESTS_ENGINE_AWAITING_H_

#include <string>

#include "intent/v1/intent.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

inline constexpr int64_t kBigSpend = 300'000'000;

// A POST of $300 asks for anybody, a WIRE for two of compliance and owner.
struct Awaiting {
  explicit Awaiting(const std::string& type = "POST",
                    const std::string& payload = R"({"text": "hi"})",
                    const ServedEngine::Options& options = {},
                    int64_t spend_micros_usd = kBigSpend)
      : served(options), agent(served.As(served.agent_token())) {
    intent = agent.MustSubmit(type, payload, spend_micros_usd);
    served.SettleDrafts();
    Read();
  }

  // Reads both as they stand.
  void Read() {
    intent = agent.MustGet(intent.id());
    memo = agent.MustGetMemo(intent.decision_memo_id());
  }

  Caller User(const std::string& name, const std::string& role) {
    return served.As(served.AddUser(name, role));
  }
  // The caller for a member that the tenant was seeded with, by user id.
  Caller Seeded(const std::string& user_id) {
    return served.As(served.AddToken(storage::PrincipalKind::kUser, user_id,
                                     served.tenant().id));
  }
  std::string IdOf(const std::string& name) {
    return served.Value("SELECT id FROM app_users WHERE name = '" + name + "'");
  }
  std::string SecurityEntries(const std::string& action = "VOTE_REFUSED") {
    return served.Value(
        "SELECT count(*) FROM audit_log WHERE level = 'security' AND action "
        "= '" +
        action + "'");
  }

  ServedEngine served;
  Caller agent;
  intent::v1::Intent intent;
  intent::v1::DecisionMemo memo;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_AWAITING_H_
