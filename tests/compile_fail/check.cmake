# cmake -DCOMPILER=... -DSOURCE=... -DINCLUDES=a|b -P check.cmake

file(STRINGS ${SOURCE} first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE} must begin with '// expect: REGEX'")
endif()
set(expected "${CMAKE_MATCH_1}")

string(REPLACE "|" ";" includes "${INCLUDES}")
list(TRANSFORM includes PREPEND "-I")
set(compile ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -fsyntax-only ${includes} ${SOURCE})

execute_process(COMMAND ${compile} -DDMQ_MENDED RESULT_VARIABLE failed ERROR_VARIABLE output)
if(failed)
  message(FATAL_ERROR "does not compile when it is mended:\n${output}")
endif()

execute_process(COMMAND ${compile} RESULT_VARIABLE failed ERROR_VARIABLE output)
if(NOT failed)
  message(FATAL_ERROR "compiles, and must not")
endif()
if(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "does not compile, but for another reason than '${expected}':\n${output}")
endif()
