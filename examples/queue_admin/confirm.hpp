#pragma once

#include <unistd.h>

#include <iostream>
#include <string>

/// Asks on the terminal to type `name` before what can't be undone. False, with the reason on standard error, when
/// something else is typed, and when there is no terminal to ask on.
inline bool confirm(const std::string& question, const std::string& name) {
  if (isatty(STDIN_FILENO) == 0) {
    std::cerr << "there is no terminal to ask on; --yes goes on without a question\n";
    return false;
  }
  std::cerr << question << "\nType " << name << " to go on: " << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  if (typed == name) return true;
  std::cerr << "nothing was done\n";
  return false;
}
