#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <bench/canned.hpp>

/// nginx-config: the configuration of a server with the canned answers, for `nginx -p DIRECTORY -c FILE`.
namespace bench {

namespace detail {
inline std::string nginx_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + '"';
}

/// nginx takes no text over 4 kB: each message is a variable.
inline std::string receive_answer_of_variables(std::string& settings) {
  settings.clear();
  const std::string list = ten([&](const std::string& digit) {
    settings += "      set $m" + digit + ' ' + nginx_text(received(digit)) + ";\n";
    return "$m" + digit;
  });
  return R"({"Messages":)" + list + '}';
}
}  // namespace detail

/// `/fast` answers at once, `/slow` after 50 ms: both as SQS does, by the operation's name.
inline void print_nginx_config(unsigned port) {
  std::string variables;
  const std::string received = detail::receive_answer_of_variables(variables);
  const auto answer = [](std::string_view operation, const std::string& text) {
    return "      if ($http_x_amz_target = AmazonSQS." + std::string(operation) + ") { return 200 " +
           detail::nginx_text(text) + "; }\n";
  };
  const std::string config =
      R"(load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  default_type application/x-amz-json-1.0;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  add_header x-amzn-RequestId 5e0d1b2c-0000-4000-8000-000000000000;
  server {
    listen 127.0.0.1:)" +
      std::to_string(port) + R"( backlog=2048;
    location = /slow { echo_sleep 0.05; echo_exec /fast; }
    location = /oauth2/token { default_type application/json; return 200 )" +
      detail::nginx_text(token_answer()) + R"(; }
    location = /v1/publish-queue { default_type application/json; return 200 )" +
      detail::nginx_text(gateway_answer()) + "; }\n    location / {\n" + answer("SendMessage", send_answer()) +
      answer("SendMessageBatch", send_batch_answer()) + answer("DeleteMessageBatch", delete_batch_answer()) +
      variables + answer("ReceiveMessage", received) + "      return 404;\n    }\n  }\n}";
  std::puts(config.c_str());
}

}  // namespace bench
