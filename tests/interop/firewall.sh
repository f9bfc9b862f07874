# The kernel probes us, and meets what our rules say: accepted, dropped, rejected, prohibited.
. "$(dirname "$0")/lab.sh"
tap
dhcp_server

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ifconfig eth0 10.77.0.2/24 up
  ifconfig eth0 add fd77::2/64
  mkdir /temporary/page; echo page > /temporary/page/index.html
  for port in 80 81 82 83; do httpd -p $port -h /temporary/page & done
  firewall add eth0 in drop filter tcp dst port 81
  firewall add eth0 in reject filter tcp dst port 82 or udp dst port 9
  firewall add eth0 in prohibit filter tcp dst port 83
  echo ready
  nc -l -p 99 > /temporary/next
  firewall profile eth0 default-deny
  echo denied
  dhcp eth0 || exit 9
  ping -c 2 10.77.0.1 || exit 8
  ping -c 2 fd77::1 || exit 7
  nslookup lab.test || exit 6
  wget -q -O - http://10.77.0.1:8080/ || exit 5
  firewall list eth0
  echo open
  sleep 60'
start web python3 -m http.server -d "$work" --bind 10.77.0.1 8080
eventually grep -q '^ready' "$work/devnet.log"

# How a connection of the kernel ends: a number of errno, or 0.
connects() {
  python3 - "$1" "$2" <<'PY'
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM) as one:
    one.settimeout(1.5)
    try:
        one.connect((sys.argv[1], int(sys.argv[2])))
        print('connected')
    except socket.timeout:
        print('timeout')
    except OSError as why:
        import errno
        print(errno.errorcode[why.errno])
PY
}
says() {
  got=$(connects "$1" "$2")
  [ "$got" = "$3" ] || fail "$1 port $2: $got, not $3"
  echo "$1 port $2: $got"
}
web_is_there() { [ "$(connects 10.77.0.2 80)" = connected ]; }
eventually web_is_there
says 10.77.0.2 81 timeout
says 10.77.0.2 82 ECONNREFUSED
says 10.77.0.2 83 EHOSTUNREACH
says fd77::2 80 connected
says fd77::2 81 timeout
says fd77::2 82 ECONNREFUSED
says fd77::2 83 EACCES

# Everything is denied but what we asked for ourselves.
echo > /dev/tcp/10.77.0.2/99
eventually grep -q '^denied' "$work/devnet.log"
eventually grep -q '^open' "$work/devnet.log"
says 10.77.0.2 80 timeout
says 10.77.0.2 79 timeout
says fd77::2 80 timeout
ping -q -c 2 -W 1 10.77.0.2 && fail 'a ping was answered'
grep -q 'bound 10\.77\.0\.' "$work/devnet.log" || fail 'no lease'
grep -q 'Directory listing' "$work/devnet.log" || fail 'no page of the kernel'
grep -q 'policy drop' "$work/devnet.log" || fail 'no list of rules'
