#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace support {

/// PEM files of one certificate and its key.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// Authorities and server certificates, made on the spot in a temporary directory that goes with it. Any failure of
/// OpenSSL ends the test program.
class Certificates {
 public:
  Certificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dmq-tls-XXXXXX").string();
    require(mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates() { std::filesystem::remove_all(directory_); }

  /// The file of the authority of this name, to be trusted; the same name gives the same authority.
  std::string authority(const std::string& name) {
    const std::string file = path(name + ".pem");
    if (std::filesystem::exists(file)) return file;
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = make(name, key.get());
    add(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    add(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign");
    require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1);
    save(name, certificate.get(), key.get(), key.get());
    return file;
  }

  /// A server's certificate, signed by that authority, for `names` ("DNS:localhost,IP:127.0.0.1").
  CertificateFiles server(const std::string& authority_name, const std::string& names) {
    authority(authority_name);
    const Certificate issuer = load_certificate(path(authority_name + ".pem"));
    const Key issuer_key = load_key(path(authority_name + ".key"));
    const Key key(EVP_EC_gen("P-256"));
    const std::string name = "server-" + std::to_string(++serial_);
    const Certificate certificate = make(name, key.get());
    add(certificate.get(), issuer.get(), NID_subject_alt_name, names.c_str());
    require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1);
    save(name, certificate.get(), key.get(), issuer_key.get());
    return {path(name + ".pem"), path(name + ".key")};
  }

 private:
  template <auto Free>
  struct Call {
    template <class T>
    void operator()(T* object) const noexcept {
      Free(object);
    }
  };
  using Key = std::unique_ptr<EVP_PKEY, Call<EVP_PKEY_free>>;
  using Certificate = std::unique_ptr<X509, Call<X509_free>>;
  using File = std::unique_ptr<std::FILE, Call<std::fclose>>;

  static void require(bool done) {
    if (!done) std::terminate();
  }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  Certificate make(const std::string& name, EVP_PKEY* key) {
    Certificate certificate(X509_new());
    constexpr int version_3 = 2;
    require(X509_set_version(certificate.get(), version_3) == 1);
    require(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_) == 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                                       reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1);
    require(X509_set_pubkey(certificate.get(), key) == 1);
    return certificate;
  }

  static void add(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Call<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
  }

  void save(const std::string& name, X509* certificate, EVP_PKEY* key, EVP_PKEY* issuer_key) {
    require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
    const File certificate_file(std::fopen(path(name + ".pem").c_str(), "w"));
    require(certificate_file != nullptr && PEM_write_X509(certificate_file.get(), certificate) == 1);
    const File key_file(std::fopen(path(name + ".key").c_str(), "w"));
    require(key_file != nullptr &&
            PEM_write_PrivateKey(key_file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  }

  static Certificate load_certificate(const std::string& file) {
    const File input(std::fopen(file.c_str(), "r"));
    require(input != nullptr);
    return Certificate(PEM_read_X509(input.get(), nullptr, nullptr, nullptr));
  }

  static Key load_key(const std::string& file) {
    const File input(std::fopen(file.c_str(), "r"));
    require(input != nullptr);
    return Key(PEM_read_PrivateKey(input.get(), nullptr, nullptr, nullptr));
  }

  std::filesystem::path directory_;
  int serial_ = 0;
};

}  // namespace support
