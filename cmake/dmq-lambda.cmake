# dmq_package_lambda(TARGET [BUNDLE_GLIBC])
#
# Adds the target TARGET_zip, which packs an executable for Lambda's custom runtimes (provided.al2023) into TARGET.zip,
# in the current binary directory: the program as `bootstrap`, stripped, and the shared libraries it needs in `lib`.
# glibc stays out: the program runs with Lambda's own, and the build of TARGET_zip fails, saying why, when that is
# older than what the program needs. BUNDLE_GLIBC packs the one of this machine as well; `bootstrap` is then a script
# that starts the program with it. It works on Linux, for the architecture of the machine that builds. Certificates are
# not packed: a function that calls out over TLS sets AWS_CA_BUNDLE to /etc/pki/tls/certs/ca-bundle.crt.
function(dmq_package_lambda target)
  cmake_parse_arguments(PARSE_ARGV 1 package "BUNDLE_GLIBC" "" "")
  if(package_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dmq_package_lambda(${target}) does not know ${package_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "dmq_package_lambda(${target}): there is no such target")
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL EXECUTABLE)
    message(FATAL_ERROR "dmq_package_lambda(${target}): it has to be an executable, and is of type ${type}")
  endif()
  if(NOT CMAKE_SYSTEM_NAME STREQUAL Linux OR CMAKE_CROSSCOMPILING)
    message(FATAL_ERROR "dmq_package_lambda(${target}): Lambda runs programs for Linux, and their libraries are found "
                        "on the machine that builds; build on Linux, on the architecture of the function")
  endif()

  # Not the newer RUNPATH: Lambda's LD_LIBRARY_PATH would come before it, with libraries of other versions.
  set_property(TARGET ${target} APPEND PROPERTY BUILD_RPATH "$ORIGIN/lib")
  target_link_options(${target} PRIVATE LINKER:--disable-new-dtags)

  set(zip ${CMAKE_CURRENT_BINARY_DIR}/${target}.zip)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dmq-lambda-zip.cmake)
  add_custom_command(OUTPUT ${zip}
                     COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DZIP=${zip} -DSTRIP=${CMAKE_STRIP}
                             -DBUNDLE_GLIBC=${package_BUNDLE_GLIBC} -P ${script}
                     DEPENDS ${target} ${script}
                     COMMENT "Packing ${target}.zip"
                     VERBATIM)
  add_custom_target(${target}_zip DEPENDS ${zip})
endfunction()
