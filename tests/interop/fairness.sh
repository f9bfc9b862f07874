# One connection of ours and one of the kernel, both Cubic, through the same queue: neither may take more than 60 % of the link.
# FAIRNESS_SECONDS is how long they share it (20).
#
#   us ──── tap0 ─┐
#                 bridge ── out0, 100 Mbit/s with 20 ms of queue ──── sink (iperf3 servers)
#   rival ─ side0 ┘
. "$(dirname "$0")/lab.sh"
tap
ip addr flush dev tap0

namespace sink; sink=${started[-1]}
namespace rival; rival=${started[-1]}
host "$sink" out0 10.77.0.1
host "$rival" side0 10.77.0.3
ip link add bridge type bridge; ip link set bridge up
for port in tap0 out0 side0; do ip link set "$port" master bridge; done
tc qdisc add dev out0 root tbf rate 100mbit burst 8000 limit 250kb

seconds=${FAIRNESS_SECONDS:-20}
for port in 5201 5202; do start "server-$port" nsenter -t "$sink" -n iperf3 -s -p "$port"; done
eventually nsenter -t "$rival" -n ping -c 1 -W 1 10.77.0.1
sleep 0.3

start ours "$DEVNET" --interface eth0=tap:tap0 -c "
  ifconfig eth0 10.77.0.2/24
  ping -c 1 10.77.0.1
  echo ready
  iperf3 -c 10.77.0.1 -p 5201 -t $seconds"
ours=${started[-1]}
eventually grep -q '^ready' "$work/ours.log"
timeout $((seconds + 15)) nsenter -t "$rival" -n iperf3 -c 10.77.0.1 -p 5202 -t "$seconds" --connect-timeout 3000 > "$work/theirs.log"
for _ in $(seq 50); do grep -q receiver "$work/ours.log" && break; sleep 0.1; done
kill "$ours" 2>/dev/null || true

# What arrived, in Mbit/s.
received() { awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i ~ /bits\/sec/) print $(i - 1) * ($i ~ /^G/ ? 1000 : $i ~ /^M/ ? 1 : 0.001) }' "$work/$1.log"; }
cat "$work/ours.log"
tail -n 5 "$work/theirs.log"
awk -v ours="$(received ours)" -v theirs="$(received theirs)" 'BEGIN {
  share = 100 * ours / (ours + theirs)
  printf "ours %.1f Mbit/s, the kernel %.1f: our share is %.1f %%\n", ours, theirs, share
  exit !(share >= 40 && share <= 60 && ours + theirs >= 80)
}' || fail 'not fair, or the link was not used'
