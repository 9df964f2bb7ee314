#!/bin/sh
# Three real registries: TLS with a private CA (5000), the same asking for client certificates (5001), plain HTTP (5002).
set -eu
mkdir -p /etc/registries
cd /etc/registries
tar -xf /root/pki.tar

registry() { # name, port, more of the section http
  cat > "$1.yml" <<CONFIG
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /var/lib/registries/$1}}
http: {addr: ":$2"$3}
CONFIG
}
pair='certificate: /etc/registries/registry.pem, key: /etc/registries/registry.key'
registry tls 5000 ", tls: {$pair}"
registry mutual 5001 ", tls: {$pair, clientcas: [/etc/registries/clients-ca.pem]}"
registry plain 5002 ''

cat > /etc/systemd/system/registry@.service <<'UNIT'
[Service]
ExecStart=/opt/lab/registry-2.8.3 serve /etc/registries/%i.yml
UNIT
systemctl daemon-reload
systemctl start registry@tls registry@mutual registry@plain
for port in 5000 5001 5002; do
  timeout 20 sh -c "until bash -c '</dev/tcp/127.0.0.1/$port'; do sleep 0.2; done" 2>/dev/null
done
