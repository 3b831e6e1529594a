// TLS for the gRPC server, from files that may change while it serves.
// Internal to engine/rpc.
//
// Each new handshake looks whether the files changed, and uses the new ones
// where they are good; connections that stand keep what they were made with.
// TLS 1.2 at least: gRPC's own minimum.

#ifndef ENGINE_RPC_TLS_CREDENTIALS_H_
#define ENGINE_RPC_TLS_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "engine/tls_files.h"

namespace sgl::engine {

// Returns credentials that share the files. Where these have certificates of
// clients' issuers, a client without a certificate of one of them is refused;
// its calls need a token all the same.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    std::shared_ptr<TlsFiles> files);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_TLS_CREDENTIALS_H_
