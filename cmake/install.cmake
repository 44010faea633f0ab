# SPDX-License-Identifier: MIT
#
# What a consumer finds, by pkg-config or by find_package. The installed tree can be moved: each file finds the others
# from its own place.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/keep)
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})

# keep.pc, and keep-uninstalled.pc, which pkg-config prefers for programs built against this build tree.

set(PC_PREFIX "\${pcfiledir}/${prefix_from_pc}")
set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(PC_LIBS "-L\${libdir} -lkeep")
configure_file(keep.pc.in ${PROJECT_BINARY_DIR}/keep.pc @ONLY)

set(PC_PREFIX ${PROJECT_SOURCE_DIR})
set(PC_LIBDIR ${PROJECT_BINARY_DIR})
set(PC_INCLUDEDIR "\${prefix}/core/include")
set(PC_LIBS "-L\${libdir} -Wl,-rpath,\${libdir} -lkeep")
configure_file(keep.pc.in ${PROJECT_BINARY_DIR}/keep-uninstalled.pc @ONLY)

install(FILES ${PROJECT_BINARY_DIR}/keep.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(keep): keep::keep and keep::keep_static.

configure_package_config_file(keepConfig.cmake.in ${PROJECT_BINARY_DIR}/keepConfig.cmake
    INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/keepConfigVersion.cmake
    VERSION ${KEEP_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/keepConfig.cmake ${PROJECT_BINARY_DIR}/keepConfigVersion.cmake
    DESTINATION ${package_dir})
install(EXPORT keep NAMESPACE keep:: FILE keepTargets.cmake DESTINATION ${package_dir})

# Libraries, headers, tool.

install(TARGETS keep_shared keep_static EXPORT keep)
install(DIRECTORY core/include/keep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET keep_tool)
    file(RELATIVE_PATH lib_from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
    set_target_properties(keep_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    install(TARGETS keep_tool)
endif()
