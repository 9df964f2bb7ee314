#!/bin/sh
# Pushes one image after the other, each of its own, and pulls it again, until /root/stop is there.
# /root/accepted: "TAG DIGEST" of each push that the registry accepted; /root/refused: what it, or the way to it, said of the others;
# /root/lost: accepted, and could not be pulled.
cd "$(mktemp -d)" || exit 1
rm -f /root/stop
number=$(cat /root/accepted /root/refused 2>/dev/null | wc -l)
while [ ! -e /root/stop ]; do
  number=$((number + 1))
  image=dtr.lab.test/admin/traffic:$number
  head -c 20000 /dev/urandom > payload
  tar -c payload | docker import - "$image" >/dev/null
  if said=$(docker push "$image" 2>&1); then
    digest=$(echo "$said" | sed -n 's/.*digest: \(sha256:[0-9a-f]*\) .*/\1/p')
    echo "$number $digest" >> /root/accepted
    docker rmi "$image" >/dev/null
    docker pull -q "$image" >/dev/null 2>>/root/pulls.log || echo "$number" >> /root/lost
  else
    echo "$number $(echo "$said" | tail -n 1)" >> /root/refused
  fi
  docker rmi "$image" >/dev/null 2>&1
  sleep 2
done
