# Names from Unbound: answers of 2,000 bytes over UDP, truncated ones over TCP, chains of aliases,
# that there is none, a server that fails, and all of it over TLS.
. "$(dirname "$0")/lab.sh"
tap
many=$(seq -f "local-data: \"many.lab.test. 300 IN A 10.77.1.%g\"" 1 120)
huge=$(seq -f "local-data: \"huge.lab.test. 300 IN A 10.77.2.%g\"" 1 250)
huge6=$(seq -f "local-data: \"huge.lab.test. 300 IN AAAA fd77::2:%g\"" 1 250)
# An authority, and a certificate of it for the server.
(
  cd "$work"
  new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" "${@:2}"; }
  new authority -x509 -keyout authority.key -out authority.pem
  new dns.lab.test -keyout server.key -out server.csr
  openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
    -extfile <(echo subjectAltName=DNS:dns.lab.test) -out server.pem
) >"$work/openssl.log" 2>&1
cat > "$work/unbound.conf" <<CONF
server:
  interface: 10.77.0.1
  interface: 10.77.0.1@853
  tls-port: 853
  tls-service-key: "$work/server.key"
  tls-service-pem: "$work/server.pem"
  access-control: 10.77.0.0/24 allow
  directory: "$work"
  pidfile: "$work/unbound.pid"
  username: ""
  chroot: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  log-queries: yes
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  edns-buffer-size: 4096
  max-udp-size: 4096
  module-config: "iterator"
  do-not-query-localhost: yes
  root-hints: ""
  local-zone: "lab.test." static
  local-data: "lab.test. 60 IN SOA ns.lab.test. admin.lab.test. 1 2 3 4 60"
  local-data: "web.lab.test. 300 IN A 10.77.0.1"
  local-data: "chain.lab.test. 300 IN CNAME second.lab.test."
  local-data: "second.lab.test. 300 IN CNAME third.lab.test."
  local-data: "third.lab.test. 300 IN CNAME web.lab.test."
  $many
  $huge
  $huge6
stub-zone:
  name: "broken.lab."
  stub-addr: 127.0.0.1@5399
  stub-first: no
remote-control:
  control-enable: no
CONF
sed -i 's/^\(local-data\)/  \1/' "$work/unbound.conf"
start unbound unbound -c "$work/unbound.conf"
eventually grep -q 'start of service' "$work/unbound.log"

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ifconfig eth0 10.77.0.2/24 up dns 10.77.0.1
  nslookup web.lab.test || exit 9
  nslookup chain.lab.test || exit 8
  nslookup -type=a many.lab.test
  nslookup -type=a huge.lab.test
  echo told
  nslookup none.lab.test && exit 7
  nslookup none.lab.test && exit 6
  dns cache
  echo denied
  nslookup -type=a x.broken.lab && exit 5
  nslookup -type=a x.broken.lab && exit 4
  echo done'
for step in told denied done; do
  for _ in 1 2 3; do grep -qs "^$step" "$work/devnet.log" || sleep 5; done
  eventually grep -q "^$step" "$work/devnet.log"
done
has() { grep -qF "$1" "$work/devnet.log" || fail "no '$1'"; }
has 'Address: 10.77.0.1'
has "can't resolve 'x.broken.lab': "
grep -q 'chain.lab.test.*second.lab.test' "$work/devnet.log" || fail 'the first alias'
count() { grep -c "^Address: 10\.77\.$1\." "$work/devnet.log" || true; }
[ "$(count 1)" -eq 120 ] || fail 'an answer of 2,000 bytes'
[ "$(count 2)" -eq 250 ] || fail 'a truncated answer'
has "can't resolve 'none.lab.test'"
grep -q 'none.lab.test A .*NXDOMAIN' "$work/devnet.log" || fail 'that there is none is kept'
# What is kept is asked once; so is what failed a moment ago.
asked() { grep -ci "$1. $2 IN" "$work/unbound.log" || true; }
for name in none.lab.test x.broken.lab; do
  [ "$(asked "$name" A)" -eq 1 ] || fail "$name was asked $(asked "$name" A) times"
done

# Over TLS: a name that nobody asked for in clear text, both types at once, and a long answer; a
# server with another name, or of an authority that is not trusted, is not believed.
tls='ifconfig eth0 10.77.0.2/24 up dns 10.77.0.1
  dns tls required on
  dns tls add 10.77.0.1 other.lab.test
  nslookup web.lab.test && exit 3
  dns tls add 10.77.0.1 dns.lab.test'
start tls env SSL_CERT_FILE="$work/authority.pem" "$DEVNET" \
  --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c "$tls"'
  nslookup web.lab.test || exit 2
  dig +short huge.lab.test | wc -l
  dig web.lab.test | grep SERVER
  dns cache
  echo done'
eventually grep -q '^done' "$work/tls.log"
had() { grep -qE "$1" "$work/tls.log" || fail "no '$1' over TLS"; }
had "can't resolve 'web.lab.test': Operation not permitted"
had '^250$'
had 'SERVER: 10\.77\.0\.1#853\(10\.77\.0\.1\) \(TLS\)'
had 'web.lab.test A .* from 10\.77\.0\.1:853: A 10\.77\.0\.1'
start untrusted "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c "$tls"'
  nslookup web.lab.test; echo "status $?"'
eventually grep -q '^status 1' "$work/untrusted.log"
grep -q 'Operation not permitted' "$work/untrusted.log" || fail 'an authority that is not trusted'
