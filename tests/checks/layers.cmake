# cmake -DINCLUDE=DIR -P layers.cmake: includes of DIR/dmq only go down the layers, and each library stands behind one
# header. The first entry that matches a header gives its layer.

cmake_minimum_required(VERSION 3.24)

set(layers
    "version\\.hpp=0" "core/=0" "encoding/=0"
    "message\\.hpp=1" "publish_result\\.hpp=1" "message_rules\\.hpp=1" "codec\\.hpp=1" "environment\\.hpp=1" "delivery\\.hpp=1"
    "lease\\.hpp=1" "run_report\\.hpp=1"
    "log_observer\\.hpp=1" "metrics/=1" "metrics_observer\\.hpp=1"
    "http/=2" "crypto/=2" "json/=2"
    "retry/=3"
    "auth/=4" "publish_settings\\.hpp=4" "consume_settings\\.hpp=4"
    "sqs/client\\.hpp=9" "sqs/=5"
    "gateway/=6" "(gateway_|queue_)?options\\.hpp=6"
    "engine/=7"
    "runtime/=8"
    "producer\\.hpp=9" "consumer\\.hpp=9" "lambda/=9"
    "wired/=10" "dmq\\.hpp=10"
    "testing/=11")

# Which headers may include what begins so: a library, or a part of dmq that others must not know.
set(only_here
    "curl/=http/curl.hpp"
    "simdjson.h=json/simdjson.hpp"
    "openssl/=crypto/digest.hpp|testing/rsa_key.hpp"
    "dmq/json/simdjson.hpp=wired/gateway_producer.hpp|wired/queue_access.hpp"
    "doctest/=" "httplib.h="
    "regex=" "iostream=" "ranges=" "random=")

set(faults)
function(layer_of header result)
  foreach(entry IN LISTS layers)
    string(REGEX MATCH "^(.+)=([0-9]+)$" _ "${entry}")
    if(header MATCHES "^${CMAKE_MATCH_1}")
      string(REGEX MATCH "[0-9]+$" layer "${entry}")
      set(${result} ${layer} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

function(check_layer header included)
  layer_of(${header} from)
  layer_of(${included} to)
  if(from STREQUAL "")
    set(fault "dmq/${header} has no layer: add it to tests/checks/layers.cmake")
  elseif(to STREQUAL "")
    set(fault "dmq/${header} includes dmq/${included}, which has no layer")
  elseif(to GREATER from)
    set(fault "dmq/${header} (layer ${from}) includes dmq/${included} (layer ${to}), which is above it")
  else()
    return()
  endif()
  set(faults ${faults} "${fault}" PARENT_SCOPE)
endfunction()

function(check_only_here header included)
  foreach(entry IN LISTS only_here)
    string(REGEX MATCH "^(.+)=(.*)$" _ "${entry}")
    set(begin "${CMAKE_MATCH_1}")
    string(REPLACE "|" ";" allowed "${CMAKE_MATCH_2}")
    string(LENGTH "${begin}" length)
    string(SUBSTRING "${included}" 0 ${length} included_begin)
    if(begin MATCHES "/$")
      set(same "${included_begin}")
    else()
      set(same "${included}")
    endif()
    if(same STREQUAL begin AND NOT header IN_LIST allowed)
      list(APPEND faults "dmq/${header} includes <${included}>, which it must not")
    endif()
  endforeach()
  set(faults "${faults}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE headers RELATIVE ${INCLUDE}/dmq ${INCLUDE}/dmq/*.hpp)
if(NOT headers)
  message(FATAL_ERROR "no headers in ${INCLUDE}/dmq")
endif()
foreach(header IN LISTS headers)
  file(STRINGS ${INCLUDE}/dmq/${header} lines REGEX "^ *# *include")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "<([^>]+)>")
      list(APPEND faults "dmq/${header}: write includes in angle brackets: ${line}")
      continue()
    endif()
    set(included "${CMAKE_MATCH_1}")
    check_only_here(${header} ${included})
    if(included MATCHES "^dmq/(.+)")
      check_layer(${header} ${CMAKE_MATCH_1})
    endif()
  endforeach()
endforeach()

list(JOIN faults "\n  " report)
if(faults)
  message(FATAL_ERROR "\n  ${report}")
endif()
