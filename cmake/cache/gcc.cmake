# cmake -C cmake/cache/gcc.cmake: g++, warnings as errors.
set(CMAKE_CXX_COMPILER g++ CACHE STRING "")
set(DMQ_WERROR ON CACHE BOOL "")
