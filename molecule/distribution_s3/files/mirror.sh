#!/bin/sh
# A release as upstream packs it, and an image as small as one can be: the binary and the libraries it is linked to.
set -eu
mkdir -p /srv/mirror /tmp/release /tmp/image/bin
cp /opt/lab/registry-2.8.3 /tmp/release/registry
echo licence > /tmp/release/LICENSE
tar -C /tmp/release -czf /srv/mirror/registry_2.8.3_linux_amd64.tar.gz LICENSE registry
cp /opt/lab/registry-2.8.3 /srv/mirror/registry-2.8.3
cp /opt/lab/registry-2.8.3 /tmp/image/bin/registry
ldd /tmp/image/bin/registry | grep -o '/[^ ]*' | xargs -I@ cp --parents -L @ /tmp/image
tar -C /tmp/image -c . | docker import --change 'ENTRYPOINT ["/bin/registry"]' - localhost/registry:2.8.3
systemd-run --unit lab-mirror --working-directory /srv/mirror python3 -m http.server 8080
# Nothing but a --version: it shows the upgrade gate, not an upgrade.
printf '#!/bin/sh\necho registry github.com/distribution/distribution/v3 v3.1.2\n' > /srv/mirror/registry-3.1.2
