# The check of layers finds what is wrong with the tree `violations`: a check that finds nothing proves nothing.

cmake_minimum_required(VERSION 3.24)

execute_process(COMMAND ${CMAKE_COMMAND} -DINCLUDE=${CMAKE_CURRENT_LIST_DIR}/violations
                        -P ${CMAKE_CURRENT_LIST_DIR}/layers.cmake
                RESULT_VARIABLE failed ERROR_VARIABLE output)
if(NOT failed)
  message(FATAL_ERROR "found nothing")
endif()
string(REGEX REPLACE "[ \n]+" " " output "${output}")
foreach(expected IN ITEMS
        "dmq/core/result.hpp (layer 0) includes dmq/http/url.hpp (layer 2), which is above it"
        "dmq/http/url.hpp includes <curl/curl.h>, which it must not"
        "dmq/http/url.hpp includes <regex>, which it must not"
        "dmq/sqs/wire.hpp includes <dmq/json/simdjson.hpp>, which it must not"
        "dmq/sqs/wire.hpp: write includes in angle brackets"
        "dmq/stray.hpp has no layer")
  string(FIND "${output}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "did not find '${expected}', but:\n${output}")
  endif()
endforeach()
