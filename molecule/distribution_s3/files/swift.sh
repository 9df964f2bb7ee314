#!/bin/sh
# One-node OpenStack Swift with its S3 interface on :9000; the account's key is a secret of the tests.
set -eu
mkdir -p /srv/swift/d1 /var/cache/swift /etc/swift
printf '[swift-hash]\nswift_hash_path_prefix = lab\nswift_hash_path_suffix = lab\n[storage-policy:0]\nname = lab\ndefault = yes\n' > /etc/swift/swift.conf
port=6200
for kind in object container account; do
  cat > /etc/swift/$kind-server.conf <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
devices = /srv/swift
mount_check = false
workers = 1
user = root
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
CONF
  cd /etc/swift
  swift-ring-builder $kind.builder create 4 1 1 > /dev/null
  swift-ring-builder $kind.builder add --region 1 --zone 1 --ip 127.0.0.1 --port $port --device d1 --weight 1 > /dev/null
  swift-ring-builder $kind.builder rebalance > /dev/null
  port=$((port + 1))
done
cat > /etc/swift/proxy-server.conf <<CONF
[DEFAULT]
bind_ip = 0.0.0.0
bind_port = 9000
workers = 1
user = root
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:11211
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_lab_access = secret-of-the-lab .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
CONF
systemctl start memcached
for kind in object container account proxy; do
  systemd-run --unit lab-swift-$kind swift-$kind-server /etc/swift/$kind-server.conf --verbose
done
# Four interpreters start; the first bucket shows that they are there.
export RCLONE_CONFIG=/dev/null RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT=http://127.0.0.1:9000 RCLONE_S3_REGION=us-east-1
export RCLONE_S3_ACCESS_KEY_ID=lab:access RCLONE_S3_SECRET_ACCESS_KEY=secret-of-the-lab
for try in $(seq 60); do
  /opt/lab/rclone mkdir --retries 1 --low-level-retries 1 :s3:registry 2> /dev/null && exit
  sleep 1
done
exit 1
