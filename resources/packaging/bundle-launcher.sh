#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts the program of this name in libexec with what a system may lack.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
# The system's fonts and kinds of files, where it has any, and those that come along.
export FONTCONFIG_FILE="${FONTCONFIG_FILE:-$root/share/fonts/fonts.conf}"
export XDG_DATA_DIRS="${XDG_DATA_DIRS:-/usr/local/share:/usr/share}:$root/share"
# Debian's libraries look for certificates where Debian has them.
if [ -z "$SSL_CERT_FILE" ] && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
  for file in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -e "$file" ] && export SSL_CERT_FILE="$file" && break
  done
fi
exec "$root/libexec/$(basename "$0")" "$@"
