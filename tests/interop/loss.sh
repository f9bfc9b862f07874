# The kernel and we over a bad path: throughput where one frame in a hundred is lost each way, and
# whole files where frames are also doubled and overtaken. LOSS_SECONDS is the length of a run (3),
# LOSS_FLOOR what the best run must reach in Mbit/s (200), LOSS_MEBIBYTES the size of the files
# (256, at most 1024).
. "$(dirname "$0")/lab.sh"
tap
ip addr flush dev tap0

# The kernel's end is elsewhere, and the loss happens between: a sender whose own device drops
# frames is told so.
#
#   us ── tap0 ─ rules ─ wire0 ── kernel
namespace kernel; kernel=${started[-1]}
host "$kernel" wire0 10.77.0.1
there() { nsenter -t "$kernel" -n "$@"; }

# A slow detour for frames that others overtake.
for way in slow late; do
  ip link add "${way}0" type veth peer name "${way}1"
  ip link set "${way}0" up; ip link set "${way}1" up
  sysctl -qw "net.ipv6.conf.${way}0.disable_ipv6=1" "net.ipv6.conf.${way}1.disable_ipv6=1"
  tc qdisc add dev "${way}0" root tbf rate 20mbit burst 3000 limit 100kb
done
sysctl -qw net.ipv6.conf.wire0.disable_ipv6=1 net.ipv6.conf.tap0.disable_ipv6=1

# Joins the two, and of a thousand frames each way loses, doubles and holds back so many.
impair() {
  nft -f - <<RULES
table netdev impairment
delete table netdev impairment
table netdev impairment {
  chain toward_us { type filter hook ingress device "wire0" priority 0;
    numgen random mod 1000 < $1 counter drop
    numgen random mod 1000 < $2 counter dup to "tap0"
    numgen random mod 1000 < $3 counter fwd to "slow0"
    fwd to "tap0"
  }
  chain slow { type filter hook ingress device "slow1" priority 0; fwd to "tap0"; }
  chain from_us { type filter hook ingress device "tap0" priority 0;
    numgen random mod 1000 < $1 counter drop
    numgen random mod 1000 < $2 counter dup to "wire0"
    numgen random mod 1000 < $3 counter fwd to "late0"
    fwd to "wire0"
  }
  chain late { type filter hook ingress device "late1" priority 0; fwd to "wire0"; }
}
RULES
}

# The receiver's Mbit/s of three runs: best and mean. Chance decides how many retransmissions are
# lost in a run, and each of them costs a timeout of 200 ms: two hosts of the kernel reach 255 to
# 378 here.
seconds=${LOSS_SECONDS:-3} floor=${LOSS_FLOOR:-200}
measure() {
  local name=$1 rates=(); shift
  for _ in 1 2 3; do
    timeout $((seconds + 15)) nsenter -t "$kernel" -n \
      iperf3 -c 10.77.0.2 -t "$seconds" -f m --connect-timeout 3000 "$@" > "$work/iperf3.log"
    rates+=("$(awk '/receiver/ {
      for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1)
    }' "$work/iperf3.log")")
  done
  printf '%s\n' "${rates[@]}" | awk -v name="$name" -v floor="$floor" '
    { sum += $1; if ($1 > best) best = $1 }
    END {
      printf "%s at 1 %% loss: best %d Mbit/s, mean %d\n", name, best, sum / NR
      exit best < floor
    }' ||
    fail "$name: fewer than $floor Mbit/s"
}

start iperf3-server "$DEVNET" --interface eth0=tap:tap0 -c '
  ifconfig eth0 10.77.0.2/24
  iperf3 -s &
  echo ready
  sleep 200'
eventually grep -q '^ready' "$work/iperf3-server.log"
impair 10 0 0
measure 'kernel to us'
measure 'us to kernel' -R
kill "${started[-1]}"; wait "${started[-1]}" || true

mebibytes=${LOSS_MEBIBYTES:-256}
web_file "${mebibytes}M"
start nginx nsenter -t "$kernel" -n nginx -c "$work/nginx.conf"
eventually there curl -sf -o /dev/null -r 0-0 http://10.77.0.1/file

impair 20 10 10
start devnet "$DEVNET" --interface eth0=tap:tap0 -c '
  ifconfig eth0 10.77.0.4/24
  time wget -q -O /temporary/file http://10.77.0.1/file || exit 8
  sha256sum /temporary/file
  httpd -p 80 -h /temporary &
  sleep 200'
# Six mebibytes per second are enough here; throughput was measured above.
for _ in $(seq $((mebibytes * 10 / 6 + 100))); do
  grep -q '/temporary/file' "$work/devnet.log" && break
  sleep 0.1
done
grep -q "$wanted" "$work/devnet.log" || fail 'the file that we fetched differs'
cat "$work/devnet.log"
there curl -sf --max-time $((mebibytes / 6 + 10)) -o "$work/back" -w 'curl: %{time_total} s\n' \
  http://10.77.0.4/file || fail 'curl'
found=$(sha256sum < "$work/back" | cut -d' ' -f1)
[ "$found" = "$wanted" ] || fail 'the file that curl fetched differs'
nft list table netdev impairment | grep -o 'counter.*'
echo "$mebibytes MiB each way at 2 % loss, 1 % doubled, 1 % overtaken have sha256 $wanted"
