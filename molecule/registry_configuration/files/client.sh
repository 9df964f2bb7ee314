#!/bin/sh
# Images to push, and a listener that keeps the body of every POST to port 8080 as a line of /var/lib/pushed.
set -eu
cat > /usr/local/bin/listener.py <<'PY'
import http.server


class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/var/lib/pushed", "ab") as stream:
            stream.write(body + b"\n")
        self.send_response(200)
        self.end_headers()


http.server.HTTPServer(("", 8080), Listener).serve_forever()
PY
printf '[Service]\nExecStart=/usr/bin/python3 /usr/local/bin/listener.py\n' > /etc/systemd/system/listener.service
systemctl daemon-reload
systemctl start listener

mkdir -p /root/images
cd /root/images
cp /bin/busybox .
package() { printf 'Package: openssl\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n\n' "$1"; }
package '3.0.11-1~deb12u1' > vulnerable.status
package '3.0.11-1~deb12u3' > sound.status
head -c 20000000 /dev/urandom > large.data
image() { # name, line of the Dockerfile
  printf 'FROM scratch\nCOPY busybox /bin/busybox\n%s\nENTRYPOINT ["/bin/busybox"]\n' "$2" > Dockerfile
  docker build -q -t "lab/$1" .
}
image one 'LABEL version=one'
image two 'LABEL version=two'
image vulnerable 'COPY vulnerable.status /var/lib/dpkg/status'
image sound 'COPY sound.status /var/lib/dpkg/status'
image large 'COPY large.data /large.data'
docker save -o one.tar lab/one
