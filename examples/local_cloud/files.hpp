#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The whole of a file; nothing, with `errno`, when it can't be read.
inline std::optional<std::string> read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  std::array<char, 65536> bytes{};
  ssize_t count = 0;
  while ((count = read(file, bytes.data(), bytes.size())) > 0)
    text.append(bytes.data(), static_cast<std::size_t>(count));
  const int failure = errno;
  close(file);
  errno = failure;
  return count < 0 ? std::nullopt : std::optional(std::move(text));
}

/// Until it is on the disk.
inline bool write_whole(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return fsync(file) == 0;
}

/// Puts `text` in the place of the file, readable by its owner alone: whoever reads it meanwhile, or after a crash,
/// finds all of the old text or all of the new. False after an explanation on standard error.
inline bool replace_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  const bool written = file >= 0 && fchmod(file, S_IRUSR | S_IWUSR) == 0 && write_whole(file, text);
  int failure = written ? 0 : errno;
  if (file >= 0) close(file);
  if (failure == 0 && rename(fresh.c_str(), path.c_str()) != 0) failure = errno;
  if (failure == 0) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (const int entries = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); entries >= 0) {
      fsync(entries);
      close(entries);
    }
    return true;
  }
  if (file >= 0) unlink(fresh.c_str());
  std::fprintf(stderr, "cannot write %s: %s\n", path.c_str(), std::strerror(failure));
  return false;
}
