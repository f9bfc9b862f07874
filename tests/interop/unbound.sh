# Names from Unbound: answers of 2,000 bytes over UDP, truncated ones over TCP, chains of aliases,
# that there is none, and a server that fails.
. "$(dirname "$0")/lab.sh"
tap
many=$(seq -f "local-data: \"many.lab.test. 300 IN A 10.77.1.%g\"" 1 120)
huge=$(seq -f "local-data: \"huge.lab.test. 300 IN A 10.77.2.%g\"" 1 250)
huge6=$(seq -f "local-data: \"huge.lab.test. 300 IN AAAA fd77::2:%g\"" 1 250)
cat > "$work/unbound.conf" <<CONF
server:
  interface: 10.77.0.1
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
