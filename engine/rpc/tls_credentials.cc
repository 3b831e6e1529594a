#include "engine/rpc/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

namespace sgl::engine {
namespace {

// gRPC's C++ layer has no credentials whose certificates a callback gives; its
// core has.
class ReloadedCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadedCredentials(std::shared_ptr<TlsFiles> files)
      : files_(std::move(files)) {
    const bool asks_clients = !files_->material().client_ca.empty();
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            asks_clients
                ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            &Fetch, this));
  }
  ~ReloadedCredentials() override {
    grpc_server_credentials_release(credentials_);
  }

  // The engine reads tokens itself.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  // Called once when the server binds, and then for each handshake, under a
  // lock of gRPC's.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    auto* credentials = static_cast<ReloadedCredentials*>(self);
    const bool is_new = credentials->files_->Reload();
    if (!is_new && credentials->has_config_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const TlsMaterial material = credentials->files_->material();
    const grpc_ssl_pem_key_cert_pair pair = {material.key.c_str(),
                                             material.certificate.c_str()};
    // gRPC insists on issuers even where it asks for no client certificate and
    // so never looks at them.
    const std::string& issuers =
        material.client_ca.empty() ? material.certificate : material.client_ca;
    *config =
        grpc_ssl_server_certificate_config_create(issuers.c_str(), &pair, 1);
    credentials->has_config_ = true;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const std::shared_ptr<TlsFiles> files_;
  grpc_server_credentials* credentials_ = nullptr;
  // Whether gRPC got one. Used in Fetch alone.
  bool has_config_ = false;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    std::shared_ptr<TlsFiles> files) {
  return std::make_shared<ReloadedCredentials>(std::move(files));
}

}  // namespace sgl::engine
