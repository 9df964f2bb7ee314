#!/bin/sh
# Pushes and pulls through the balancer until /root/stop is there; a line for each in /root/traffic, "lost" for one that failed.
# Like a client, skopeo tries again what broke off.
set -u
: > /root/traffic
number=0
while [ ! -e /root/stop ]; do
  number=$((number + 1))
  name=docker://registry.lab.test:5000/team/traffic:$((number % 5))
  if skopeo copy -q --retry-times 4 --authfile /root/auth.json --dest-cert-dir /root/ca oci:/root/image:1 "$name" 2>> /root/traffic.log \
    && rm -rf /root/pulled \
    && skopeo copy -q --retry-times 4 --authfile /root/auth.json --src-cert-dir /root/ca "$name" dir:/root/pulled 2>> /root/traffic.log
  then echo done >> /root/traffic
  else echo lost >> /root/traffic
  fi
done
