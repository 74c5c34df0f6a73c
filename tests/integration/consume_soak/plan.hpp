#pragma once

#include <chrono>

#include "../soak/load.hpp"

/// What is to be consumed, and how.
struct Plan {
  Load load{};
  std::chrono::seconds visibility{8};
};
