#!/bin/sh
# The stand-in as a service: DTR on 443, UCP on 8443, state in /var/lib/standin.
set -eu
mkdir -p /opt/standin
tar -C /opt/standin -xf /root/standin.tar
cat > /etc/systemd/system/standin.service <<'UNIT'
[Service]
Environment=PYTHONPATH=/opt/standin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ExecStart=/usr/bin/python3 -m standin --state /var/lib/standin --admin-password-file /root/password --listen 0.0.0.0 \
  --dtr-host dtr-1.lab.test --dtr-port 443 --ucp-host dtr-1.lab.test --ucp-port 8443 --san 172.30.70.11 \
  --registry-binary /opt/lab/registry-2.8.3 --faults
UNIT
systemctl daemon-reload
systemctl start standin
timeout 30 sh -c 'until curl -fsk https://127.0.0.1/_ping; do sleep 0.2; done' || { journalctl -u standin >&2; exit 1; }
