// Proves what TLS and mutual TLS let in, against a real server and with real
// certificates made for each run: no plain text, no foreign issuer, nothing
// that expired, nothing below TLS 1.2; a token all the same; and that files
// that change are used by the next handshake, unless they are broken.

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/check.h"
#include "engine/files.h"
#include "engine/tls_files.h"
#include "tests/engine/served_engine.h"
#include "tests/support/status_matchers.h"

namespace sgl::testing {
namespace {

using engine::TlsFiles;

// Runs openssl; returns whether it succeeded.
bool OpenSsl(const std::string& args) {
  return std::system(
             absl::StrCat("openssl ", args, " </dev/null >/dev/null 2>&1")
                 .c_str()) == 0;
}

// A folder of certificates and keys, NAME.pem and NAME.key.
class Certificates {
 public:
  Certificates() {
    std::string folder =
        (std::filesystem::temp_directory_path() / "tls.XXXXXX").string();
    SGL_CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }

  std::string Path(absl::string_view file) const {
    return absl::StrCat(folder_, "/", file);
  }
  std::string Text(absl::string_view file) const {
    const auto text = engine::ReadFile(Path(file));
    SGL_CHECK(text.ok()) << text.status();
    return *text;
  }
  void MakeIssuer(absl::string_view name) {
    SGL_CHECK(OpenSsl(
        absl::StrCat("req -x509 ", kKey, " -days 2 -subj /CN=", name, " -out ",
                     Path(name), ".pem -keyout ", Path(name), ".key")));
  }
  void Make(absl::string_view name, absl::string_view issuer, int days = 1) {
    std::ofstream(Path("names")) << "subjectAltName=IP:127.0.0.1";
    SGL_CHECK(OpenSsl(absl::StrCat("req ", kKey, " -subj /CN=", name, " -out ",
                                   Path("request"), " -keyout ", Path(name),
                                   ".key")));
    SGL_CHECK(OpenSsl(absl::StrCat("x509 -req -in ", Path("request"), " -CA ",
                                   Path(issuer), ".pem -CAkey ", Path(issuer),
                                   ".key -extfile ", Path("names"), " -days ",
                                   days, " -out ", Path(name), ".pem")));
  }
  // Puts NAME's files in the place of the server's, as a renewal does.
  void Install(absl::string_view name) {
    for (const char* kind : {".pem", ".key"}) {
      const std::string fresh = Path(absl::StrCat("fresh", kind));
      std::filesystem::copy_file(Path(absl::StrCat(name, kind)), fresh);
      std::filesystem::rename(fresh, Path(absl::StrCat("server", kind)));
    }
  }

 private:
  static constexpr char kKey[] =
      "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  std::string folder_;
};

// A server with TLS, and clients of it.
class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    certificates_.MakeIssuer("ca");
    certificates_.MakeIssuer("other");
    certificates_.Make("first", "ca");
    certificates_.Install("first");
  }

  void Serve(bool mutual) {
    ServedEngine::Options options;
    options.server.tls_certificate = certificates_.Path("server.pem");
    options.server.tls_key = certificates_.Path("server.key");
    if (mutual) options.server.tls_client_ca = certificates_.Path("ca.pem");
    served_ = std::make_unique<ServedEngine>(options);
  }

  // Calls over a connection of its own; `root` is the issuer the client
  // trusts, `client` its certificate.
  grpc::Status Call(const std::string& root, const std::string& client = "",
                    bool with_token = true) {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = certificates_.Text(root + ".pem");
    if (!client.empty()) {
      ssl.pem_cert_chain = certificates_.Text(client + ".pem");
      ssl.pem_private_key = certificates_.Text(client + ".key");
    }
    return CallBy(grpc::SslCredentials(ssl), with_token);
  }
  grpc::Status CallBy(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials,
      bool with_token = true) {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    Caller caller(grpc::CreateCustomChannel(served_->server().address(),
                                            credentials, own),
                  with_token ? served_->agent_token() : "");
    return caller.List({}).status;
  }

  Certificates certificates_;
  std::unique_ptr<ServedEngine> served_;
};

constexpr auto kRefused = grpc::StatusCode::UNAVAILABLE;

TEST_F(TlsTest, OnlyTlsWithAKnownIssuerIsServed) {
  Serve(/*mutual=*/false);
  EXPECT_TRUE(Call("ca").ok());
  EXPECT_EQ(CallBy(grpc::InsecureChannelCredentials()).error_code(), kRefused);
  EXPECT_EQ(Call("other").error_code(), kRefused);
  EXPECT_EQ(Call("ca", "", /*with_token=*/false).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(TlsTest, NothingBelowTls12IsSpoken) {
  Serve(/*mutual=*/false);
  const auto speaks = [&](const std::string& version) {
    return OpenSsl(absl::StrCat("s_client -connect ",
                                served_->server().address(), " -alpn h2 ",
                                "-cipher DEFAULT@SECLEVEL=0 -", version));
  };
  EXPECT_TRUE(speaks("tls1_3"));
  EXPECT_TRUE(speaks("tls1_2"));
  EXPECT_FALSE(speaks("tls1_1"));
  EXPECT_FALSE(speaks("tls1"));
}

TEST_F(TlsTest, MutualTlsTakesKnownClientsAndATokenStill) {
  certificates_.Make("client", "ca");
  certificates_.Make("stranger", "other");
  certificates_.Make("late", "ca", /*days=*/-1);
  Serve(/*mutual=*/true);
  EXPECT_TRUE(Call("ca", "client").ok());
  EXPECT_EQ(Call("ca").error_code(), kRefused);
  EXPECT_EQ(Call("ca", "stranger").error_code(), kRefused);
  EXPECT_EQ(Call("ca", "late").error_code(), kRefused);
  EXPECT_EQ(Call("ca", "client", /*with_token=*/false).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(TlsTest, ARenewedCertificateIsUsedWithoutARestart) {
  Serve(/*mutual=*/false);
  EXPECT_TRUE(Call("ca").ok());
  // Another issuer's, so that clients tell the two apart.
  certificates_.Make("second", "other");
  certificates_.Install("second");
  EXPECT_TRUE(Call("other").ok());
  EXPECT_EQ(Call("ca").error_code(), kRefused);
  certificates_.Install("first");
  EXPECT_TRUE(Call("ca").ok());
}

TEST_F(TlsTest, BrokenFilesLeaveWhatWasGood) {
  Serve(/*mutual=*/false);
  certificates_.Make("second", "other");
  certificates_.Make("late", "other", /*days=*/-1);
  const std::string served = certificates_.Path("server.pem");
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN CERTIFICATE-----\nx\n"),
        // The key is still the first one's.
        certificates_.Text("second.pem")}) {
    std::ofstream(served) << text;
    EXPECT_TRUE(Call("ca").ok()) << text;
  }
  std::filesystem::remove(served);
  EXPECT_TRUE(Call("ca").ok());
  certificates_.Install("late");
  EXPECT_TRUE(Call("ca").ok());
  certificates_.Install("second");
  EXPECT_TRUE(Call("other").ok());
}

TEST_F(TlsTest, ACertificateThatHoldsALittleLaterIsTakenThen) {
  const absl::Time today = absl::Now();
  absl::Time now = today;
  absl::StatusOr<std::unique_ptr<TlsFiles>> files =
      TlsFiles::Open({.certificate = certificates_.Path("server.pem"),
                      .key = certificates_.Path("server.key"),
                      .now = [&now] { return now; }});
  ASSERT_TRUE(files.ok()) << files.status();
  certificates_.Make("second", "other");
  certificates_.Install("second");
  now = today - absl::Hours(24);
  EXPECT_FALSE((*files)->Reload());
  EXPECT_EQ((*files)->material().certificate, certificates_.Text("first.pem"));
  now = today + absl::Minutes(1);
  EXPECT_TRUE((*files)->Reload());
  EXPECT_EQ((*files)->material().certificate, certificates_.Text("second.pem"));
  EXPECT_FALSE((*files)->Reload());
}

TEST_F(TlsTest, ClientsIssuersAreReadAgainToo) {
  certificates_.Make("client", "ca");
  certificates_.Make("stranger", "other");
  const std::string issuers = certificates_.Path("issuers.pem");
  std::ofstream(issuers) << certificates_.Text("ca.pem");
  ServedEngine::Options options;
  options.server.tls_certificate = certificates_.Path("server.pem");
  options.server.tls_key = certificates_.Path("server.key");
  options.server.tls_client_ca = issuers;
  served_ = std::make_unique<ServedEngine>(options);
  EXPECT_TRUE(Call("ca", "client").ok());
  EXPECT_EQ(Call("ca", "stranger").error_code(), kRefused);
  std::ofstream(issuers) << certificates_.Text("other.pem");
  EXPECT_EQ(Call("ca", "client").error_code(), kRefused);
  EXPECT_TRUE(Call("ca", "stranger").ok());
}

TEST_F(TlsTest, FilesThatCannotServeAreRefusedInWords) {
  certificates_.Make("late", "ca", /*days=*/-1);
  certificates_.Make("second", "ca");
  const auto refusal = [&](const std::string& certificate,
                           const std::string& key) {
    return std::string(
        TlsFiles::Open({.certificate = certificates_.Path(certificate),
                        .key = certificates_.Path(key)})
            .status()
            .message());
  };
  EXPECT_EQ(refusal("first.pem", "first.key"), "");
  EXPECT_NE(refusal("late.pem", "late.key").find("it expired on 20"),
            std::string::npos);
  EXPECT_NE(refusal("first.pem", "second.key")
                .find("the key is not the certificate's"),
            std::string::npos);
  EXPECT_NE(
      refusal("first.key", "first.key").find("the certificate can't be read"),
      std::string::npos);
  EXPECT_THAT(TlsFiles::Open({.certificate = certificates_.Path("none"),
                              .key = certificates_.Path("first.key")}),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sgl::testing
