// Proves that `audit verify` over gRPC trusts no server: one that has no head,
// fails, shows another log's head, or can't prove that what was kept outside is
// its beginning never gets the verdict "intact". The server is a fake that
// answers as each test tells it.

#include "tools/intentctl/audit_verify.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/audit_head.h"
#include "engine/audit_key.h"
#include "engine/merkle.h"
#include "intent/v1/audit_service.grpc.pb.h"
#include "tools/intentctl/audit_verdict.h"

namespace sgl::tools {
namespace {

using ::testing::HasSubstr;

constexpr char kLog[] = "11111111-1111-4111-8111-111111111111";
constexpr char kOtherLog[] = "22222222-2222-4222-8222-222222222222";

// Says that all is well, and shows `head`.
class FakeServer final : public intent::v1::AuditService::Service {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  grpc::Status GetTreeHead(grpc::ServerContext* /*context*/,
                           const intent::v1::GetTreeHeadRequest* request,
                           intent::v1::GetTreeHeadResponse* response) override {
    if (request->known_tree_size() > 0 && !proof_status.ok()) {
      return proof_status;
    }
    if (!head.has_value()) return grpc::Status::OK;
    response->mutable_tree_head()->set_log_id(head->log_id);
    response->mutable_tree_head()->set_json(engine::HeadJson(*head));
    for (const std::string& hash : path) {
      response->add_consistency_path(hash);
    }
    return grpc::Status::OK;
  }

  grpc::Status VerifyAuditLog(
      grpc::ServerContext* /*context*/,
      const intent::v1::VerifyAuditLogRequest* request,
      intent::v1::VerifyAuditLogResponse* response) override {
    heads_sent = request->known_heads_size();
    *response = report;
    return grpc::Status::OK;
  }

  std::optional<storage::SealHead> head;
  std::vector<std::string> path;
  grpc::Status proof_status;
  intent::v1::VerifyAuditLogResponse report;
  int heads_sent = 0;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class AuditVerifyTest : public ::testing::Test {
 protected:
  // A log of three entries, whose head of size 2 was kept outside.
  void SetUp() override {
    for (const char* text : {"a", "b", "c"}) {
      leaves_.push_back(engine::LeafHash(text));
    }
    server_.head = HeadOf(kLog, 3);
    server_.path = {leaves_[2]};
    server_.report.set_sealed_count(3);
    Keep({HeadOf(kLog, 2)});
    client_.address = server_.address();
    client_.token = "any";
  }

  storage::SealHead HeadOf(const std::string& log_id, int64_t size) {
    engine::MerkleTree tree;
    for (int64_t i = 0; i < size; ++i) {
      tree.Append(leaves_[static_cast<size_t>(i) % leaves_.size()]);
    }
    storage::SealHead head{.log_id = log_id,
                           .tree_size = size,
                           .root_hash = tree.Root(),
                           .sealed_at = absl::FromUnixSeconds(1'764'000'000),
                           .key_id = key_.public_key().id()};
    head.signature = key_.Sign(engine::HeadNote(head));
    return head;
  }

  void Keep(const std::vector<storage::SealHead>& heads) {
    flags_.heads_path = absl::StrCat(::testing::TempDir(), "/heads.jsonl");
    std::ofstream file(flags_.heads_path);
    for (const storage::SealHead& head : heads) {
      file << engine::HeadJson(head) << "\n";
    }
  }

  void GiveKey(const engine::AuditKey& key) {
    flags_.key_paths = {absl::StrCat(::testing::TempDir(), "/key.pub")};
    std::ofstream(flags_.key_paths[0]) << key.public_key().Pem();
  }

  int Run() {
    ::testing::internal::CaptureStdout();
    const int status = Verify(client_, flags_);
    told_ = ::testing::internal::GetCapturedStdout();
    return status;
  }

  const engine::AuditKey key_ = engine::AuditKey::Generate();
  std::vector<std::string> leaves_;
  FakeServer server_;
  Client client_;
  VerifyFlags flags_;
  std::string told_;
};

TEST_F(AuditVerifyTest, IntactWhereTheServerProvesIt) {
  GiveKey(key_);
  EXPECT_EQ(Run(), kExitOk) << told_;
  EXPECT_THAT(told_, HasSubstr("good for the first 3 entries"));
  EXPECT_THAT(told_, HasSubstr("\nintact\n"));
}

TEST_F(AuditVerifyTest, ARefusedProofIsNoProof) {
  server_.proof_status = {grpc::StatusCode::INTERNAL, "out of order"};
  EXPECT_EQ(Run(), kExitCantTell);
  EXPECT_THAT(told_, HasSubstr("out of order\n"));
  EXPECT_THAT(told_, HasSubstr("\ncan't tell\n"));
  client_.json = true;
  EXPECT_EQ(Run(), kExitCantTell);
  EXPECT_THAT(told_, HasSubstr("\"verdict\":\"CANNOT_TELL\",\"doubt\":\"the"));
}

TEST_F(AuditVerifyTest, FindingsOutweighDoubt) {
  server_.proof_status = {grpc::StatusCode::INTERNAL, "out of order"};
  server_.report.add_findings()->set_kind("ROLLED_BACK");
  EXPECT_EQ(Run(), kExitFailed);
}

TEST_F(AuditVerifyTest, AServerWithoutAHeadProvesNothing) {
  server_.head.reset();
  EXPECT_EQ(Run(), kExitCantTell) << told_;
  EXPECT_EQ(server_.heads_sent, 1);
  // Sealed, it says, and shows no head of it.
  flags_.heads_path.clear();
  EXPECT_EQ(Run(), kExitCantTell) << told_;
  // Nothing sealed, and nothing known of it: a new log.
  server_.report.set_sealed_count(0);
  EXPECT_EQ(Run(), kExitOk) << told_;
}

TEST_F(AuditVerifyTest, AWrongPathIsAFork) {
  server_.path = {leaves_[0]};
  EXPECT_EQ(Run(), kExitFailed);
  EXPECT_THAT(told_, HasSubstr("is not the beginning of the log"));
}

TEST_F(AuditVerifyTest, AHeadOfAnotherKeyIsNoHead) {
  GiveKey(engine::AuditKey::Generate());
  flags_.heads_path.clear();
  EXPECT_EQ(Run(), kExitFailed);
  EXPECT_THAT(told_, HasSubstr("not signed by a key that was given"));
}

TEST_F(AuditVerifyTest, OnlyTheLogsOwnHeadsAreSent) {
  std::vector<storage::SealHead> heads{HeadOf(kLog, 2)};
  // Larger, and more than one call may carry.
  for (int64_t size = 10; size < 1110; ++size) {
    heads.push_back(HeadOf(kOtherLog, 10));
  }
  Keep(heads);
  EXPECT_EQ(Run(), kExitOk) << told_;
  EXPECT_EQ(server_.heads_sent, 1);
  EXPECT_THAT(told_, HasSubstr("the log agrees up to entry 0"));
}

}  // namespace
}  // namespace sgl::tools
