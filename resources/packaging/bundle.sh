#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bundle.sh BUILD: BUILD/adamerge-studio-VERSION-MACHINE.tar.xz, a folder that runs where it is unpacked on
# any Linux whose C and C++ libraries are no older than this one's: programs, data, all other libraries,
# Qt's plugins, kinds of files, a font. The libraries are Debian's, byte for byte; their licences come along.
set -euo pipefail

build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
name=adamerge-studio-$version-$(uname -m)
root=$build/bundle/$name
libraries=$(dirname "$(ldconfig -p | sed -n 's/.*=> \(.*\/libQt6Core\.so\.6\)$/\1/p' | head -n 1)")
plugins=$libraries/qt6/plugins

rm -rf "$build/bundle"
cmake --install "$build" --prefix "$root" --strip >/dev/null
rm -rf "$root/lib/python3"  # Debian's Python alone can load it
mv "$root/bin" "$root/libexec"
mkdir -p "$root/bin" "$root/lib/qt6" "$root/share/fonts"

# What no library names: Qt's plugins for X11, Wayland, no display at all, SVG icons, input methods.
for plugin in platforms/lib{qxcb,qoffscreen,qwayland-generic}.so iconengines/libqsvgicon.so \
  imageformats/libqsvg.so platforminputcontexts wayland-shell-integration/libxdg-shell.so \
  wayland-decoration-client; do
  (cd "$plugins" && cp -r --parents "$plugin" "$root/lib/qt6")
done
printf '[Paths]\nPrefix=..\nPlugins=lib/qt6\n' >"$root/libexec/qt.conf"

# Every library that something here needs, under the name it is asked for. Every system has the C
# and C++ libraries, and one that is newer than ours must not be hidden from its own drivers.
mapfile -t binaries < <(find "$root/libexec" "$root/lib" -type f \( -perm -u+x -o -name '*.so' \) ! -name qt.conf)
ldd "${binaries[@]}" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort -u |
  grep -vE '^(ld-linux|lib(c|m|dl|rt|pthread|util|resolv|anl|nsl|mvec|stdc\+\+|gcc_s)\.so)' >"$build/bundle/libraries"
while read -r soname path; do cp -L "$path" "$root/lib/$soname"; done <"$build/bundle/libraries"
# Found beside the programs, by the libraries' libraries and the plugins too: hence the older kind of
# path, which is the program's and holds for all that it loads.
for program in "$root"/libexec/adamerge*; do
  patchelf --force-rpath --set-rpath "\$ORIGIN/../lib" "$program"
done
for library in "$root"/lib/*.so*; do
  [ -z "$(patchelf --print-rpath "$library")" ] || patchelf --remove-rpath "$library"
done
find "$root/lib/qt6" -name '*.so' -exec patchelf --remove-rpath {} +

# How Qt tells kinds of files apart.
cp /usr/share/mime/packages/freedesktop.org.xml "$root/share/mime/packages"
update-mime-database "$root/share/mime" 2>/dev/null
find "$root/share/mime" -mindepth 1 ! -path '*/packages*' ! -name mime.cache -delete
cp /usr/share/fonts/truetype/dejavu/DejaVuSans{,-Bold,Mono}.ttf "$root/share/fonts"
cp "$here/bundle-fonts.conf" "$root/share/fonts/fonts.conf"
for program in "$root"/libexec/adamerge*; do
  install -m 755 "$here/bundle-launcher.sh" "$root/bin/$(basename "$program")"
done

# Licences: of each Debian package that something was taken from, and where its sources are.
licences=$root/share/doc/adamerge-studio/bundled
mkdir -p "$licences"
cp "$here/../../LICENSE" "$root/LICENSE"
{
  awk '{print $2}' "$build/bundle/libraries"
  find "$root/lib/qt6" -name '*.so' -printf "$plugins/%P\n"
  ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf /usr/share/mime/packages/freedesktop.org.xml
} | while read -r file; do
  # Packages of before the merge of / and /usr name their files by the older path.
  target=$(realpath "$file")
  named=$(realpath "$(dirname "$file")")/$(basename "$file")
  printf '%s\n' "$target" "${target#/usr}" "$named" "${named#/usr}"
done | sort -u | xargs dpkg -S 2>/dev/null | sed 's/: .*//; s/, /\n/g' | grep -v '^diversion' | sort -u \
  >"$build/bundle/packages" || true
# Headers that are compiled in.
printf '%s\n' libcli11-dev nlohmann-json3-dev >>"$build/bundle/packages"
while read -r package; do
  mkdir -p "$licences/${package%%:*}"
  cp -L "/usr/share/doc/${package%%:*}/copyright" "$licences/${package%%:*}/"
done <"$build/bundle/packages"
cp -rL /usr/share/common-licenses "$licences/common-licenses"
{
  echo "Debian packages that libraries, plugins and the font in this folder are from, unchanged, and headers"
  echo "that are compiled in: package, version, source package, its version;"
  echo "the sources are at https://snapshot.debian.org/package/SOURCE/SOURCE-VERSION/."
  echo
  # shellcheck disable=SC2046
  dpkg-query -W -f='${Package} ${Version} ${source:Package} ${source:Version}\n' $(cat "$build/bundle/packages")
} >"$licences/PACKAGES"

# Nothing may be looked for elsewhere but the C and C++ libraries.
elsewhere=$(ldd "$root"/libexec/adamerge* | awk '$2 == "=>" {print $1, $3}' | grep -v " $root/lib" |
  grep -vE '^(lib(c|m|dl|rt|pthread|util|resolv|anl|nsl|mvec|stdc\+\+|gcc_s)\.so)' || true)
[ -z "$elsewhere" ] || { echo "the bundle looks for these elsewhere: $elsewhere" >&2; exit 1; }

tar --owner=0 --group=0 --sort=name -C "$build/bundle" -cf - "$name" | xz -T0 -6 >"$build/$name.tar.xz.part"
mv "$build/$name.tar.xz.part" "$build/$name.tar.xz"
echo "$build/$name.tar.xz: $(du -m "$build/$name.tar.xz" | cut -f1) MB, unpacked $(du -sm "$root" | cut -f1) MB," \
  "$(wc -l <"$build/bundle/libraries") libraries of $(wc -l <"$build/bundle/packages") packages"
