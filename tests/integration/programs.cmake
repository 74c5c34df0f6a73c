# Whole programs, each a process of its own, over loopback.
if(NOT (TARGET quickstart AND TARGET local_cloud AND TARGET producer AND TARGET consumer AND TARGET queue_admin))
  return()
endif()

foreach(way IN ITEMS gateway batch direct)
  add_test(NAME "integration: end to end, ${way}"
           COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/end_to_end.sh $<TARGET_FILE:local_cloud> $<TARGET_FILE:producer>
                   $<TARGET_FILE:consumer> ${way})
  set_tests_properties("integration: end to end, ${way}" PROPERTIES LABELS integration TIMEOUT 300)
endforeach()

add_test(NAME "integration: curl signs"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/curl_signs.sh $<TARGET_FILE:local_cloud>)
set_tests_properties("integration: curl signs" PROPERTIES LABELS integration TIMEOUT 120)

add_test(NAME "integration: curl publishes as the infrastructure's README says"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/infrastructure_curl.sh $<TARGET_FILE:local_cloud>
                 $<TARGET_FILE:consumer> ${PROJECT_SOURCE_DIR}/examples/infrastructure/README.md)
set_tests_properties("integration: curl publishes as the infrastructure's README says"
                     PROPERTIES LABELS integration TIMEOUT 120)

add_test(NAME "integration: queue_admin"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/queue_admin.sh $<TARGET_FILE:local_cloud> $<TARGET_FILE:queue_admin>
                 $<TARGET_FILE:producer>)
set_tests_properties("integration: queue_admin" PROPERTIES LABELS integration TIMEOUT 120)

add_test(NAME "integration: consumer stops"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/consumer_stops.sh $<TARGET_FILE:local_cloud> $<TARGET_FILE:consumer>
                 $<TARGET_FILE:producer> $<TARGET_FILE:queue_admin>)
set_tests_properties("integration: consumer stops" PROPERTIES LABELS integration TIMEOUT 120)

add_test(NAME "integration: quickstart"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/quickstart.sh $<TARGET_FILE:quickstart>)
set_tests_properties("integration: quickstart" PROPERTIES LABELS integration TIMEOUT 120)

add_test(NAME "integration: metrics"
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/metrics.sh $<TARGET_FILE:local_cloud> $<TARGET_FILE:metrics>)
set_tests_properties("integration: metrics" PROPERTIES LABELS integration TIMEOUT 120)

add_subdirectory(submit_soak)
add_subdirectory(consume_soak)
add_subdirectory(sqs_scenario)
add_subdirectory(npm)
