# cmake -C cmake/cache/asan.cmake: memory errors and undefined behaviour.
set(dmq_sanitize "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer")
set(CMAKE_BUILD_TYPE "" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O1 -g1 ${dmq_sanitize}" CACHE STRING "")
# These take longer to compile than to run.
set(DMQ_UNIT_OPTIONS -O0 CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS "${dmq_sanitize}" CACHE STRING "")
set(DMQ_INSTALL OFF CACHE BOOL "")
set(DMQ_WERROR ON CACHE BOOL "")
