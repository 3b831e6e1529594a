#include "engine/tls_files.h"

#include <absl/strings/str_cat.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <ctime>
#include <utility>

#include "base/log.h"
#include "engine/files.h"

namespace sgl::engine {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, Free> Read(const std::string& pem) {
  return std::unique_ptr<BIO, Free>(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::unique_ptr<X509, Free> NextCertificate(BIO* bio) {
  return std::unique_ptr<X509, Free>(
      PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

// A renewed certificate may hold from a moment that this host's clock has not
// reached yet.
constexpr absl::Duration kRetryInterval = absl::Minutes(1);

// An encrypted key would ask for its password on the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

absl::Time TimeOf(const ASN1_TIME* time) {
  tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

absl::Status CheckTimes(const X509* certificate, absl::Time now) {
  const absl::Time from = TimeOf(X509_get0_notBefore(certificate));
  const absl::Time to = TimeOf(X509_get0_notAfter(certificate));
  if (from <= now && now < to) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      now < from ? "the certificate holds only from " : "it expired on ",
      absl::FormatTime(absl::RFC3339_sec, now < from ? from : to,
                       absl::UTCTimeZone())));
}

// An absent file's stamp differs from any other's.
std::string StampOf(const TlsFiles::Options& options) {
  std::string stamp;
  for (const std::string* path :
       {&options.certificate, &options.key, &options.client_ca}) {
    struct stat info = {};
    if (path->empty() || stat(path->c_str(), &info) != 0) {
      stamp += "-;";
      continue;
    }
    absl::StrAppend(&stamp, info.st_dev, ",", info.st_ino, ",", info.st_size,
                    ",", info.st_mtim.tv_sec, ",", info.st_mtim.tv_nsec, ",",
                    info.st_ctim.tv_sec, ",", info.st_ctim.tv_nsec, ";");
  }
  return stamp;
}

absl::StatusOr<TlsMaterial> ReadMaterial(const TlsFiles::Options& options) {
  TlsMaterial material;
  for (const auto& [path, text] :
       {std::pair(&options.certificate, &material.certificate),
        std::pair(&options.key, &material.key),
        std::pair(&options.client_ca, &material.client_ca)}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadFile(*path);
    if (!read.ok()) return read.status();
    // An empty file must not pass for an unset flag: TLS, or the demand for
    // client certificates, would silently be off.
    if (read->find("-----BEGIN ") == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`", *path, "` is no PEM file: it has no -----BEGIN line"));
    }
    *text = *std::move(read);
  }
  const absl::Status checked = CheckTlsMaterial(material, options.now());
  if (checked.ok()) return material;
  return absl::InvalidArgumentError(absl::StrCat(
      "`", options.certificate, "`, `", options.key, "`",
      options.client_ca.empty() ? "" : ", `", options.client_ca,
      options.client_ca.empty() ? ": " : "`: ", checked.message()));
}

}  // namespace

absl::Status CheckTlsMaterial(const TlsMaterial& material, absl::Time now) {
  const auto bio = Read(material.certificate);
  const auto certificate = NextCertificate(bio.get());
  const auto key_bio = Read(material.key);
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, NoPassword, nullptr));
  absl::Status status;
  if (certificate == nullptr) {
    status = absl::InvalidArgumentError("the certificate can't be read");
  } else if (key == nullptr) {
    status =
        absl::InvalidArgumentError("the key can't be read, or is encrypted");
  } else if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    status = absl::InvalidArgumentError("the key is not the certificate's");
  } else {
    status = CheckTimes(certificate.get(), now);
  }
  if (status.ok() && !material.client_ca.empty() &&
      NextCertificate(Read(material.client_ca).get()) == nullptr) {
    status = absl::InvalidArgumentError(
        "the clients' issuer's certificate can't be read");
  }
  // What OpenSSL noted of it would be reported by its next user.
  ERR_clear_error();
  return status;
}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(Options options) {
  // Before the reading: what changes between the two is read again.
  std::string stamp = StampOf(options);
  absl::StatusOr<TlsMaterial> material = ReadMaterial(options);
  if (!material.ok()) return material.status();
  return std::unique_ptr<TlsFiles>(
      new TlsFiles(std::move(options), *std::move(material), std::move(stamp)));
}

TlsFiles::TlsFiles(Options options, TlsMaterial material, std::string stamp)
    : options_(std::move(options)),
      material_(std::move(material)),
      stamp_(std::move(stamp)) {}

TlsMaterial TlsFiles::material() {
  MutexLock lock(mutex_);
  return material_;
}

bool TlsFiles::Reload() {
  MutexLock lock(mutex_);
  std::string stamp = StampOf(options_);
  const bool is_changed = stamp != stamp_;
  const absl::Time now = options_.now();
  if (!is_changed && now < retry_at_) return false;
  stamp_ = std::move(stamp);
  absl::StatusOr<TlsMaterial> material = ReadMaterial(options_);
  retry_at_ = material.ok() ? absl::InfiniteFuture() : now + kRetryInterval;
  if (!material.ok()) {
    if (is_changed) {
      LogError("TLS goes on with the files as they were: {}",
               material.status().ToString());
    }
    return false;
  }
  material_ = *std::move(material);
  LogInfo("TLS files were read again");
  return true;
}

}  // namespace sgl::engine
