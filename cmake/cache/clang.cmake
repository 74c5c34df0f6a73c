# cmake -C cmake/cache/clang.cmake: clang, and its compile database for clang-tidy.
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON CACHE BOOL "")
set(DMQ_WERROR ON CACHE BOOL "")
