#!/bin/sh
# Test certificates: a CA and its registry certificate, a CA for clients and a pair of it, and a stranger's pair.
set -eu
mkdir -p "$1"
cd "$1"

make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"
}

make_leaf() { # name, CA, extensions
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf '%s\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 20 -extfile "$1.ext" -out "$1.pem"
}

for ca in ca clients-ca strangers-ca; do make_ca "$ca"; done
make_leaf registry ca 'subjectAltName=DNS:registry-1.lab.test,DNS:registry-1,IP:172.30.63.11'
make_leaf client clients-ca 'extendedKeyUsage=clientAuth'
make_leaf stranger strangers-ca 'extendedKeyUsage=clientAuth'
tar -cf pki.tar -- *.pem *.key
