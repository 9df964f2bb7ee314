#!/usr/bin/env bash
# What site.yml does on the bare nodes of the DTR quickstart, done with a shell and the same commands of docker/ucp and docker/dtr: engines,
# images, certificates, UCP, its nodes, the balancer, three replicas, trust on the client. What does not depend on another runs beside it.
# It has no checks beforehand, configures no content, and cannot be run a second time.
#   benchmarks/by_hand.sh        after `scripts/lab up dtr`
set -euo pipefail
cd "$(dirname "$0")/.."
lab=.lab/quickstart images=.lab/images
ucp_version=3.2.5 dtr_version=2.7.6 ucp=172.30.50.11 lb=172.30.50.31 dtr=dtr.lab.test
replicas=(dtr-1 dtr-2 dtr-3)
password=$(cat $lab/password)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

name_of() { sed -n "/^    $1:\$/{n;s/.*ansible_host: //p}" $lab/inventory/hosts.yml; }
on() { local node; node=$(name_of "$1"); shift; docker exec -i "$node" "$@"; }   # as ssh would
both() { local failed=0 pid; for pid in "$@"; do wait "$pid" || failed=1; done; return $failed; }
until_ok() {
  local end=$((SECONDS + 300))
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { echo "not within 300 s: $*" >&2; return 1; }; sleep 1; done
}
api() { curl -sS --fail --cacert "$work/ca.pem" --resolve "$dtr:443:$lb" "$@"; }

# Certificates, as a CA of one's own issues them
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=ca -keyout "$work/ca-key.pem" -out "$work/ca.pem" 2>/dev/null
issue() { # issue NAME SUBJECT-ALTERNATIVE-NAMES
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$work/$1-key.pem" -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca-key.pem" -CAcreateserial -days 365 -out "$work/$1.pem" \
    -extfile <(echo "subjectAltName=$2") 2>/dev/null
}
issue ucp "IP:$ucp,DNS:ucp.lab.test,DNS:ucp-1"
issue dtr "DNS:$dtr,IP:$lb,IP:172.30.50.21,IP:172.30.50.22,IP:172.30.50.23"

# Packages and images, on all hosts at once
packages() { # packages HOST NAME...     the nodes' package lists are fresh
  echo "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y ${*:2} >/dev/null" | on "$1" bash -seu
}
load() { local archive; packages "$1" docker.io apparmor; for archive in "${@:2}"; do on "$1" docker load -q < "$images/$archive.tar" >/dev/null; done; }
load ucp-1 "ucp-$ucp_version" & jobs=($!)
for node in "${replicas[@]}"; do load "$node" "ucp-$ucp_version" "dtr-$dtr_version" & jobs+=($!); done
packages client-1 docker.io apparmor & jobs+=($!)
packages lb-1 haproxy & jobs+=($!)
both "${jobs[@]}"
echo "packages and images: $SECONDS s"

# UCP, with its certificate; installers may then run containers where no user may
on ucp-1 docker volume create ucp-controller-server-certs >/dev/null
volume=/var/lib/docker/volumes/ucp-controller-server-certs/_data
for part in ca:ca ucp:cert ucp-key:key; do on ucp-1 bash -c "cat > $volume/${part#*:}.pem" < "$work/${part%:*}.pem"; done
export UCP_ADMIN_PASSWORD=$password
docker exec -i -e UCP_ADMIN_USER=admin -e UCP_ADMIN_PASSWORD "$(name_of ucp-1)" docker run --rm --name ucp -v /var/run/docker.sock:/var/run/docker.sock \
  -e UCP_ADMIN_USER -e UCP_ADMIN_PASSWORD "docker/ucp:$ucp_version" install --host-address "$ucp" --san ucp.lab.test --external-server-cert \
  --force-minimums --pull never > "$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
echo "UCP: $SECONDS s"
token=$(on ucp-1 docker swarm join-token -q worker)
for node in "${replicas[@]}"; do on "$node" docker swarm join --token "$token" "$ucp:2377" >/dev/null; done
until_ok api "https://$ucp/_ping"
api -d @- "https://$ucp/auth/login" <<< "{\"username\": \"admin\", \"password\": \"$password\"}" \
  | sed 's/.*"auth_token": *"\([^"]*\)".*/Authorization: Bearer \1/' > "$work/session"
api -H "@$work/session" "https://$ucp/api/ucp/config-toml" | sed 's/\(enable_admin_ucp_scheduling *= *\)false/\1true/' > "$work/ucp.toml"
api -X PUT -H "@$work/session" --data-binary "@$work/ucp.toml" "https://$ucp/api/ucp/config-toml" >/dev/null
ready() {   # as UCP's own list of nodes says: the engine is reached through its agent
  api -H "@$work/session" "https://$ucp/nodes" | python3 -c 'import json, sys; nodes = json.load(sys.stdin)
sys.exit(len(nodes) != 4 or not all(node["Status"].get("Message", "").startswith("Healthy UCP") for node in nodes))'
}
until_ok ready
echo "nodes: $SECONDS s"

# Balancer
{
  printf '%s\n' global '  user haproxy' '  group haproxy' defaults '  mode tcp' '  timeout connect 5s' '  timeout client 1h' '  timeout server 1h' \
    'listen dtr' '  bind *:443' '  option httpchk GET /_ping' '  default-server check check-ssl verify none inter 5s'
  number=20; for node in "${replicas[@]}"; do number=$((number + 1)); echo "  server $node 172.30.50.$number:443"; done
  printf '%s\n' 'listen ucp' '  bind *:8443' "  server ucp-1 $ucp:443 check"
} | on lb-1 tee /etc/haproxy/haproxy.cfg >/dev/null
on lb-1 systemctl restart haproxy

# DTR
export UCP_PASSWORD=$password UCP_USERNAME=admin UCP_CA DTR_CA DTR_CERT DTR_KEY
UCP_CA=$(cat "$work/ca.pem") DTR_CA=$UCP_CA DTR_CERT=$(cat "$work/dtr.pem") DTR_KEY=$(cat "$work/dtr-key.pem")
tool() { # tool COMMAND ARGUMENTS...
  local names=(-e UCP_USERNAME -e UCP_PASSWORD -e UCP_CA)
  [ "$1" = join ] || names+=(-e DTR_CA -e DTR_CERT -e DTR_KEY)
  docker exec -i "${names[@]}" "$(name_of dtr-1)" docker run --rm --network host "${names[@]}" "docker/dtr:$dtr_version" "$@" --ucp-url "https://$ucp" \
    > "$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; return 1; }
}
first=0a1b2c3d4e5f
tool install --replica-id "$first" --ucp-node dtr-1 --dtr-external-url "https://$dtr" --dtr-storage-volume /srv/images
echo "first replica: $SECONDS s"
for node in dtr-2 dtr-3; do tool join --existing-replica-id "$first" --ucp-node "$node"; done
echo "three replicas: $SECONDS s"
on client-1 bash -c "mkdir -p /etc/docker/certs.d/$dtr && cat > /etc/docker/certs.d/$dtr/ca.crt" < "$work/ca.pem"
until_ok api "https://$dtr/_ping"
echo "through the balancer: $SECONDS s"
