# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed beside the programs, and `cpack`: a Debian package for the release it runs on.
include(GNUInstallDirs)
set(packaging "${PROJECT_SOURCE_DIR}/resources/packaging")
string(TIMESTAMP ADAMERGE_DATE "%Y-%m-%d" UTC)
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)

# Of model and samples the programs know that they are in share/adamerge-studio beside bin.
set(data "${CMAKE_INSTALL_DATADIR}/adamerge-studio")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/models" DESTINATION "${data}"
        PATTERN "train" EXCLUDE PATTERN "*.py" EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/resources/samples" DESTINATION "${data}/resources")
install(FILES "${packaging}/adamerge-studio.desktop"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/applications")
install(FILES "${PROJECT_SOURCE_DIR}/resources/icons/adamerge-studio.svg"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps")
install(FILES "${packaging}/adamerge-studio-mime.xml" RENAME adamerge-studio.xml
        DESTINATION "${CMAKE_INSTALL_DATADIR}/mime/packages")
install(FILES "${packaging}/adamerge.thumbnailer"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/thumbnailers")
configure_file("${packaging}/adamerge-studio.metainfo.xml.in" adamerge-studio.metainfo.xml @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/adamerge-studio.metainfo.xml"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/metainfo")
set(documents "${CMAKE_INSTALL_DATADIR}/doc/adamerge-studio")
install(FILES "${packaging}/copyright" "${PROJECT_SOURCE_DIR}/README.md" DESTINATION "${documents}")

# Who makes a package is named as Debian's own tools do it.
set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if("$ENV{DEBEMAIL}" STREQUAL "")
  set(maintainer "AdaMerge Studio maintainers <maintainers@adamerge-studio.invalid>")
endif()
file(WRITE "${PROJECT_BINARY_DIR}/changelog.Debian"
  "adamerge-studio (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n"
  "  * Built from the sources of version ${PROJECT_VERSION}.\n\n"
  " -- ${maintainer}  ${changelog_date}\n")

# Manual pages and completions are what the programs say of themselves. Packages of Debian have a folder
# of their own for zsh.
install(CODE "
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  set(man \"\${root}/${CMAKE_INSTALL_MANDIR}/man1\")
  set(share \"\${root}/${CMAKE_INSTALL_DATADIR}\")
  set(bash \"\${share}/bash-completion/completions\")
  set(fish \"\${share}/fish/vendor_completions.d\")
  set(zsh \"\${share}/zsh/site-functions\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(zsh \"\${share}/zsh/vendor-completions\")
  endif()
  file(MAKE_DIRECTORY \"\${man}\" \"\${bash}\" \"\${fish}\" \"\${zsh}\")
  foreach(program adamerge adamerge-studio adamerge-train)
    set(binary \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/\${program}\")
    if(EXISTS \"\${binary}\")
      execute_process(COMMAND \"\${binary}\" --man COMMAND gzip -9n
                      OUTPUT_FILE \"\${man}/\${program}.1.gz\" COMMAND_ERROR_IS_FATAL ANY)
      execute_process(COMMAND \"\${binary}\" --bash-completion
                      OUTPUT_FILE \"\${bash}/\${program}\" COMMAND_ERROR_IS_FATAL ANY)
      execute_process(COMMAND \"\${binary}\" --fish-completion
                      OUTPUT_FILE \"\${fish}/\${program}.fish\" COMMAND_ERROR_IS_FATAL ANY)
      execute_process(COMMAND \"\${binary}\" --zsh-completion
                      OUTPUT_FILE \"\${zsh}/_\${program}\" COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endforeach()
  execute_process(COMMAND gzip -9nc \"${PROJECT_BINARY_DIR}/changelog.Debian\"
                  OUTPUT_FILE \"\${root}/${documents}/changelog.Debian.gz\" COMMAND_ERROR_IS_FATAL ANY)
")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME adamerge-studio)
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "token merging for Vision Transformers, layer by layer")
set(CPACK_PACKAGE_DESCRIPTION
"Runs Vision Transformers with timm's or Hugging Face's weights under AdaMerge,
ToMe and further methods, and shows on your own images where the salience
lies, which tokens merge with which, how many, and at what cost: a desktop
program (adamerge-studio), a command line (adamerge) with figures for papers,
evaluation and benchmarks, a trainer of small models (adamerge-train), and a
package for Debian's Python (adamerge).")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Plugins that no library names: Debian 12 has that for SVG images in the library's package.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "qt6-svg-plugins | libqt6svg6 (<< 6.5), fonts-dejavu-core")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libopenblas0-openmp, qt6-wayland, python3:any, python3-numpy")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "openmpi-bin")
# The package `adamerge` of Debian's Python; its module is made for the Python of this release.
set(CPACK_DEBIAN_PACKAGE_PROVIDES "python3-adamerge (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${packaging}/prerm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
include(CPack)
