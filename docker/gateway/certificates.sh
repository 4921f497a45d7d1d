#!/bin/sh
# An authority, the gateway's certificate and one of a customs system, for trying out on one machine:
#
#   sh certificates.sh FOLDER
#
# What is there is kept while it is good for another day. The authority's key is not kept: nothing else is ever signed.
set -eu
cd "$1"
if openssl x509 -checkend 86400 -noout -in customs.pem 2>/dev/null; then
  exit 0
fi
umask 077

new_key() { # name, subject
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
}

signed() { # name, subject, extensions
  new_key "$1" "$2"
  printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nbasicConstraints=critical,CA:FALSE\n%s\n' "$3" > extensions
  openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -days 30 -extfile extensions -out "$1.pem"
}

new_key authority "certex-bridge on this machine"
printf 'subjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' > extensions
openssl x509 -req -in authority.csr -signkey authority.key -days 30 -extfile extensions -out authority.pem
signed gateway gateway 'subjectAltName=DNS:gateway,DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth'
signed customs customs 'subjectAltName=DNS:customs.example
extendedKeyUsage=clientAuth'
rm -f authority.key extensions ./*.csr
chmod 644 authority.pem
if [ "$(id -u)" = 0 ]; then
  chown 65532:65532 . ./*
fi
