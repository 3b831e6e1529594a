// A server's certificate, its key and the certificates of clients' issuers, in
// files that are read again when they change.
//
//   absl::StatusOr<std::unique_ptr<TlsFiles>> files = TlsFiles::Open(
//       {.certificate = "/etc/tls/cert.pem", .key = "/etc/tls/key.pem"});
//   TlsMaterial material = (*files)->material();
//   if ((*files)->Reload()) material = (*files)->material();
//
// What is read is checked before it is used: PEM that can be parsed, a key that
// fits its certificate, times that hold now. Files that fail that are told of
// once, and what was good goes on; so a renewal that writes one file after the
// other needs no care. They are tried again once a minute, since a certificate
// may begin to hold while its file stays as it is.

#ifndef ENGINE_TLS_FILES_H_
#define ENGINE_TLS_FILES_H_

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"

namespace sgl::engine {

// PEM texts.
struct TlsMaterial {
  // The server's certificate first, then those that lead to its issuer.
  std::string certificate = {};
  std::string key = {};
  // Empty: no client certificate is asked for.
  std::string client_ca = {};
};

// Thread-safe.
class TlsFiles {
 public:
  struct Options {
    std::string certificate = {};
    std::string key = {};
    // Empty: no client certificate is asked for.
    std::string client_ca = {};
    std::function<absl::Time()> now = absl::Now;
  };

  // Reads and checks the files. INVALID_ARGUMENT naming the file at fault,
  // NOT_FOUND where one isn't there.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(Options options);

  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  // Returns what was read last and found good.
  TlsMaterial material();

  // Reads the files again where one changed since they were last read, or where
  // they were not good a minute ago; looking costs a `stat` a file. Returns
  // whether the material is another one now.
  bool Reload();

 private:
  TlsFiles(Options options, TlsMaterial material, std::string stamp);

  const Options options_;
  Mutex mutex_;
  TlsMaterial material_ ABSL_GUARDED_BY(mutex_);
  // Sizes, times and places of the files when they were last read.
  std::string stamp_ ABSL_GUARDED_BY(mutex_);
  // When files that were not good are read again, changed or not.
  absl::Time retry_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

// Returns why these can't serve at `now`: INVALID_ARGUMENT, in words.
absl::Status CheckTlsMaterial(const TlsMaterial& material, absl::Time now);

}  // namespace sgl::engine

#endif  // ENGINE_TLS_FILES_H_
