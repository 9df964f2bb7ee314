#!/bin/sh
# An image of one layer of 8 MB in /root/image, in OCI layout.
set -eu
blobs=/root/image/blobs/sha256
mkdir -p "$blobs"
put() { # put FILE: its digest
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  mv "$1" "$blobs/$digest"
  echo "$digest"
}
mkdir -p /tmp/layer && head -c 8000000 /dev/urandom > /tmp/layer/noise
tar -C /tmp/layer -cf /tmp/layer.tar noise
size=$(stat -c %s /tmp/layer.tar)
layer=$(put /tmp/layer.tar)
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" > /tmp/config
config_size=$(stat -c %s /tmp/config)
config=$(put /tmp/config)
type=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"sha256:%s","size":%s},' \
  $type $type "$config" "$config_size" > /tmp/manifest
printf '"layers":[{"mediaType":"%s.layer.v1.tar","digest":"sha256:%s","size":%s}]}' $type "$layer" "$size" >> /tmp/manifest
manifest_size=$(stat -c %s /tmp/manifest)
manifest=$(put /tmp/manifest)
printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s.manifest.v1+json","digest":"sha256:%s","size":%s,' \
  $type "$manifest" "$manifest_size" > /root/image/index.json
printf '"annotations":{"org.opencontainers.image.ref.name":"1"}}]}' >> /root/image/index.json
printf '{"imageLayoutVersion":"1.0.0"}' > /root/image/oci-layout
