# cmake -C cmake/cache/fuzz.cmake: the fuzzers.
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(DMQ_BUILD_FUZZERS ON CACHE BOOL "")
set(DMQ_BUILD_EXAMPLES OFF CACHE BOOL "")
set(DMQ_INSTALL OFF CACHE BOOL "")
