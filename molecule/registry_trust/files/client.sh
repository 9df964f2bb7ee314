#!/bin/sh
# An image in each of the three registries, files and settings of others, and the proof that nobody trusts them yet.
set -eu
registry=registry-1.lab.test
mkdir -p /root/pki /root/push /root/image
cd /root
tar -xf pki.tar -C pki
cp pki/ca.pem push/ca.crt
cp pki/client.pem push/client.cert
cp pki/client.key push/client.key

# One static binary: an image that needs no registry to start from. Pushed with certificates of the command line.
cp /bin/busybox image/
printf 'FROM scratch\nCOPY busybox /bin/busybox\nENTRYPOINT ["/bin/busybox"]\n' > image/Dockerfile
docker build -q -t lab/image:1 image
docker save -o image.tar lab/image:1
docker rmi lab/image:1
for port in 5000 5001; do skopeo copy -q --dest-cert-dir=push docker-archive:image.tar "docker://$registry:$port/library/app:1"; done
skopeo copy -q --dest-tls-verify=false docker-archive:image.tar "docker://$registry:5002/library/app:1"

mkdir -p "/etc/docker/certs.d/$registry:5000" /etc/docker/certs.d/others.lab.test /etc/containers/registries.conf.d
cp pki/strangers-ca.pem "/etc/docker/certs.d/$registry:5000/others.crt"
cp pki/strangers-ca.pem /etc/docker/certs.d/others.lab.test/ca.crt
printf '[[registry]]\nlocation = "others.lab.test"\ninsecure = true\n' > /etc/containers/registries.conf.d/others.conf
echo '{"insecure-registries": ["others.lab.test:5000"], "labels": ["owner=others"]}' > /etc/docker/daemon.json
systemctl reload docker
systemctl show --value -p MainPID docker > engine.pid

refused() { ! "$@" >/dev/null 2>&1 || { echo "trusted already: $*" >&2; exit 1; }; }
for port in 5000 5001 5002; do
  refused docker pull "$registry:$port/library/app:1"
  refused skopeo inspect "docker://$registry:$port/library/app:1"
  refused ctr images pull --hosts-dir /etc/containerd/certs.d "$registry:$port/library/app:1"
done
refused curl -fsS "https://$registry:5000/v2/"
rm -rf pki push
