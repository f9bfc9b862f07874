# Sourced by every scenario: a TAP device in the namespace that the test made, and clean-up whatever
# happens.
set -euo pipefail

work=$(mktemp -d)
started=()

finish() {
  status=$?
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  if declare -F close_screen >/dev/null; then close_screen; fi
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    for log in "$work"/*.log; do
      [ -e "$log" ] && { printf -- '--- %s\n' "${log##*/}"; tail -n 40 "$log"; }
    done
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

# Starts a command in the background with its output in a log; it is ended by its id.
start() {
  local log=$1; shift
  "$@" >"$work/$log.log" 2>&1 </dev/null &
  started+=($!)
}

# Waits up to ten seconds for a command to succeed.
eventually() {
  for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  fail "never true: $*"
}

# A namespace that lives as long as a process in it, by whose id it is known: started[-1] after the
# call.
namespace() {
  start "$1" unshare -n sleep 230
  eventually differs "${started[-1]}"
}
differs() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# Another host of the kernel: namespace, port on our side, address. Its segments come one by one, as
# over a wire: rules and queues would otherwise take 64 KiB for one frame. Its route chooses Cubic:
# a connection that begins with BBR, the default of some kernels, and is told Cubic afterwards
# (iperf3 -C) stays paced.
host() {
  ip link add "$2" type veth peer name eth0 netns "$1"
  ip link set "$2" up
  nsenter -t "$1" -n ip link set lo up
  nsenter -t "$1" -n ip link set eth0 gso_max_segs 1 up
  nsenter -t "$1" -n ip addr add "$3/24" dev eth0
  nsenter -t "$1" -n ip route replace 10.77.0.0/24 dev eth0 congctl cubic
}

tap() {
  ip link set lo up
  ip tuntap add dev tap0 mode tap
  sysctl -qw net.ipv6.conf.tap0.accept_dad=0
  ip addr add 10.77.0.1/24 dev tap0
  ip -6 addr add fd77::1/64 dev tap0 nodad
  ip link set tap0 up
}

dhcp_server() {
  start dnsmasq dnsmasq -k --conf-file=/dev/null --no-resolv --no-hosts --user=root \
    --interface=tap0 --bind-interfaces --dhcp-range=10.77.0.50,10.77.0.80,1h \
    --address=/lab.test/10.77.0.1 --pid-file="$work/dnsmasq.pid" \
    --log-facility="$work/dnsmasq-queries.log" \
    --dhcp-leasefile="$work/leases" --log-dhcp
}

# A file of so many random bytes, $wanted as its sum, and nginx.conf to serve it at 10.77.0.1.
web_file() {
  mkdir -p "$work/www" "$work/nginx"
  head -c "$1" /dev/urandom > "$work/www/file"
  wanted=$(sha256sum < "$work/www/file" | cut -d' ' -f1)
  cat > "$work/nginx.conf" <<CONF
daemon off; pid $work/nginx/pid; error_log $work/nginx/error; user root;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $work/nginx/a; proxy_temp_path $work/nginx/b;
  fastcgi_temp_path $work/nginx/c; uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
  server { listen 10.77.0.1:80; root $work/www; } }
CONF
}
