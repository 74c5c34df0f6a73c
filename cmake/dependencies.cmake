# The three libraries dmq stands on, and threads: CURL::libcurl, simdjson::simdjson, OpenSSL::Crypto, Threads::Threads.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)

if(DMQ_FETCH_DEPS)
  if(DMQ_INSTALL)
    message(FATAL_ERROR "DMQ_INSTALL and DMQ_FETCH_DEPS exclude each other: an installed dmq has to find its "
                        "libraries where it is used. Install libcurl and simdjson, or set DMQ_INSTALL=OFF.")
  endif()
  include(FetchContent)
  set(SIMDJSON_ENABLE_THREADS ON)
  FetchContent_Declare(simdjson SYSTEM
    URL https://github.com/simdjson/simdjson/archive/refs/tags/v3.10.1.tar.gz)
  set(BUILD_CURL_EXE OFF)
  set(BUILD_STATIC_LIBS ON)
  set(CURL_DISABLE_INSTALL ON)
  set(CURL_USE_LIBPSL OFF)
  set(HTTP_ONLY ON)
  FetchContent_Declare(curl SYSTEM
    URL https://github.com/curl/curl/releases/download/curl-8_11_1/curl-8.11.1.tar.gz)
  FetchContent_MakeAvailable(simdjson curl)
else()
  find_package(CURL 7.87 REQUIRED)
  find_package(simdjson REQUIRED)
endif()
