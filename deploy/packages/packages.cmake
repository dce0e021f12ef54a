# What is installed, and the four Debian packages made of it: cpack -G DEB in the build folder.
include(GNUInstallDirs)

install(TARGETS contactsd RUNTIME COMPONENT contactsd)
install(FILES deploy/contactsd.service DESTINATION /lib/systemd/system COMPONENT contactsd)
install(FILES deploy/packages/contactsd.env DESTINATION /etc/contacts COMPONENT contactsd)

install(TARGETS contactctl RUNTIME COMPONENT contactctl)
# What designers and translators start from.
install(DIRECTORY core/letter/templates core/letter/po DESTINATION share/contacts/mail
        COMPONENT contactctl)
install(FILES core/letter/README.md DESTINATION share/contacts/mail COMPONENT contactctl)
install(TARGETS contacts-web RUNTIME COMPONENT contacts-web)

# Stubs in C++ for programs outside of this tree: find_package(contacts) gives contacts::contacts_grpc.
install(TARGETS google_rpc_proto contacts_proto contacts_grpc EXPORT contacts
        ARCHIVE COMPONENT libcontacts-dev)
install(EXPORT contacts NAMESPACE contacts:: FILE contactsTargets.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/contacts COMPONENT libcontacts-dev)
install(DIRECTORY ${PROJECT_BINARY_DIR}/proto/contacts ${PROJECT_BINARY_DIR}/proto/google
        DESTINATION include/contacts-1 COMPONENT libcontacts-dev FILES_MATCHING PATTERN "*.h")
install(DIRECTORY proto/contacts DESTINATION share/contacts/proto COMPONENT libcontacts-dev
        FILES_MATCHING PATTERN "*.proto")
include(CMakePackageConfigHelpers)
write_basic_package_version_file(contactsConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES deploy/packages/contactsConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/contactsConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/contacts COMPONENT libcontacts-dev)

# Man pages are made from --help; bash, zsh and fish get their completions from contactctl itself.
install(CODE [[
  function(write_output file)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${file}" "${text}")
  endfunction()
]] ALL_COMPONENTS)
foreach(program contactsd contactctl contacts-web)
  install(FILES LICENSE CHANGELOG.md DESTINATION share/doc/${program} COMPONENT ${program})
  install(CODE "
    write_output(share/man/man1/${program}.1 help2man --no-info --no-discard-stderr
                 $<TARGET_FILE:${program}>)" COMPONENT ${program})
endforeach()
install(FILES LICENSE CHANGELOG.md DESTINATION share/doc/libcontacts-dev COMPONENT libcontacts-dev)
foreach(completion bash=bash-completion/completions/contactctl zsh=zsh/vendor-completions/_contactctl
        fish=fish/vendor_completions.d/contactctl.fish)
  string(REPLACE = ";" parts ${completion})
  list(GET parts 0 shell)
  list(GET parts 1 file)
  install(CODE "write_output(share/${file} $<TARGET_FILE:contactctl> completion ${shell})"
          COMPONENT contactctl)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME contacts)
set(CPACK_PACKAGE_CONTACT "The maintainers of contacts <contacts@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL contactsd contactctl contacts-web libcontacts-dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CONTACTSD_PACKAGE_NAME contactsd)
set(CPACK_COMPONENT_CONTACTSD_DESCRIPTION "Server of contact changes over gRPC")
# libmariadb loads its plugins by name, OpenSSL the system's authorities.
set(CPACK_DEBIAN_CONTACTSD_PACKAGE_DEPENDS "ca-certificates")
set(CPACK_DEBIAN_CONTACTSD_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/deploy/packages/conffiles ${PROJECT_SOURCE_DIR}/deploy/packages/postinst
    ${PROJECT_SOURCE_DIR}/deploy/packages/prerm ${PROJECT_SOURCE_DIR}/deploy/packages/postrm)
set(CPACK_DEBIAN_CONTACTSD_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_CONTACTCTL_PACKAGE_NAME contactctl)
set(CPACK_COMPONENT_CONTACTCTL_DESCRIPTION "Command line client of contactsd")
set(CPACK_DEBIAN_CONTACTS-WEB_PACKAGE_NAME contacts-web)
set(CPACK_COMPONENT_CONTACTS-WEB_DESCRIPTION "Account area of contactsd: pages for customers")
set(CPACK_DEBIAN_CONTACTS-WEB_PACKAGE_DEPENDS "ca-certificates")
set(CPACK_DEBIAN_LIBCONTACTS-DEV_PACKAGE_NAME libcontacts-dev)
set(CPACK_COMPONENT_LIBCONTACTS-DEV_DESCRIPTION "C++ stubs and .proto files of the contacts contract")
set(CPACK_DEBIAN_LIBCONTACTS-DEV_PACKAGE_DEPENDS "libgrpc++-dev, libprotobuf-dev")
set(CPACK_DEBIAN_LIBCONTACTS-DEV_PACKAGE_SECTION libdevel)
include(CPack)
