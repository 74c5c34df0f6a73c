# Headers, package config, version file and pkg-config file.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(dmq_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/dmq)
install(TARGETS dmq EXPORT dmq-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT dmq-targets NAMESPACE dmq:: DESTINATION ${dmq_package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dmq-config.cmake.in ${PROJECT_BINARY_DIR}/dmq-config.cmake
                              INSTALL_DESTINATION ${dmq_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dmq-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/dmq-config.cmake ${PROJECT_BINARY_DIR}/dmq-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/dmq-lambda.cmake ${CMAKE_CURRENT_LIST_DIR}/dmq-lambda-zip.cmake
        DESTINATION ${dmq_package_dir})

file(RELATIVE_PATH dmq_prefix_from_pc /${CMAKE_INSTALL_DATADIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/dmq.pc.in ${PROJECT_BINARY_DIR}/dmq.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/dmq.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
