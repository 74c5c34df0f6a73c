#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <memory>
#include <string>

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

/// TLS 1.2 and newer with the certificate, or chain, and the key of these PEM files. Null after an explanation on
/// standard error.
inline TlsContext make_tls_context(const std::string& certificate, const std::string& key) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  const auto complain = [](const char* what, const std::string& file) {
    const char* const reason = ERR_reason_error_string(ERR_get_error());
    std::fprintf(stderr, "cannot use the %s %s: %s\n", what, file.c_str(), reason == nullptr ? "unknown" : reason);
    return nullptr;
  };
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A connection that waits keeps no buffers.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
    return complain("certificate", certificate);
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return complain("key", key);
  return context;
}
