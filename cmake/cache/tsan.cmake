# cmake -C cmake/cache/tsan.cmake: data races.
set(dmq_sanitize "-fsanitize=thread -fno-omit-frame-pointer")
set(CMAKE_BUILD_TYPE "" CACHE STRING "")
# g++ warns of fences, which it does not instrument; libstdc++ has them.
set(CMAKE_CXX_FLAGS "-O1 -g1 ${dmq_sanitize} -Wno-tsan" CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS "${dmq_sanitize}" CACHE STRING "")
set(DMQ_INSTALL OFF CACHE BOOL "")
set(DMQ_WERROR ON CACHE BOOL "")
