# cmake -DCOMPILER=... -DINCLUDES=a|b -DINCLUDE=DIR -P dependencies.cmake: what the compiler reads for the headers that
# most files of a program include.

cmake_minimum_required(VERSION 3.24)

string(REPLACE "|" ";" includes "${INCLUDES}")
list(TRANSFORM includes PREPEND "-I")

function(check_absent forbidden)
  set(text "")
  foreach(header IN LISTS ARGN)
    string(APPEND text "#include <dmq/${header}>\n")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/dependencies.cpp)
  file(WRITE ${source} "${text}")
  execute_process(COMMAND ${COMPILER} -std=c++20 -M ${includes} ${source} RESULT_VARIABLE failed OUTPUT_VARIABLE output
                  ERROR_VARIABLE errors)
  if(failed)
    message(FATAL_ERROR "can't preprocess ${ARGN}:\n${errors}")
  endif()
  if(output MATCHES "[^ \n]*(${forbidden})")
    message(FATAL_ERROR "${CMAKE_MATCH_0} must not be read for any of: ${ARGN}")
  endif()
endfunction()

# simdjson.h costs seconds: only the file that wires a program pays for it.
file(GLOB_RECURSE wire RELATIVE ${INCLUDE}/dmq ${INCLUDE}/dmq/sqs/*.hpp ${INCLUDE}/dmq/auth/*.hpp
     ${INCLUDE}/dmq/gateway/*.hpp ${INCLUDE}/dmq/engine/*.hpp ${INCLUDE}/dmq/runtime/*.hpp)
check_absent("/simdjson\\.h|/json/simdjson\\.hpp|/curl/curl\\.h" producer.hpp consumer.hpp ${wire})

# A producer knows routes, grants and transports as concepts only.
check_absent("/dmq/gateway/|/dmq/auth/cognito\\.hpp|/dmq/auth/sigv4\\.hpp|/dmq/sqs/send_route\\.hpp|/dmq/http/curl|/openssl/"
             producer.hpp)
