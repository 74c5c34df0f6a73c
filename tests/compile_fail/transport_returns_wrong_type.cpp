// expect: (satisf|constraint)[^;]*HttpTransport

#include <dmq/http/transport.hpp>

struct Transport {
#ifdef DMQ_MENDED
  dmq::Result<dmq::http::Response> send(const dmq::http::Request&, std::stop_token) { return {}; }
#else
  dmq::http::Response send(const dmq::http::Request&, std::stop_token) { return {}; }
#endif
};

void use(dmq::http::HttpTransport auto&) {}

int main() {
  Transport transport;
  use(transport);
}
