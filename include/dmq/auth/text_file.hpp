#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// The whole of a small file, at most 1 MiB; nothing when there is no such file, or it is in a directory that is closed
/// to us, as AWS's tools have it. `what` names it in errors, which never
/// quote it. Errors: configuration.
inline Result<std::optional<std::string>> read_text_file(std::string_view what, const std::string& path) {
  constexpr std::size_t limit_bytes = std::size_t{1} << 20U;
  const auto unreadable = [&](std::string_view why) {
    return configuration_error("can't read " + std::string(what) + " " + path + ": " + std::string(why));
  };
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return std::optional<std::string>();
    return unreadable("it can't be found");
  }
  // To open one would be to wait for its other end, past every stop.
  if (S_ISFIFO(status.st_mode)) return unreadable("it is a pipe");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return unreadable("it can't be opened; check its rights");
  }
  std::string text;
  char block[4096];
  for (std::size_t size = sizeof block; size == sizeof block;) {
    size = std::fread(block, 1, sizeof block, file.get());
    text.append(block, size);
    if (text.size() > limit_bytes) return unreadable("it is over 1 MiB");
  }
  if (std::ferror(file.get()) != 0) return unreadable("is it a directory?");
  return std::optional<std::string>(std::move(text));
}

}  // namespace dmq::inline DMQ_ABI::auth
