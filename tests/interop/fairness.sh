# One connection of ours and one of the kernel, both Cubic, through the same queue: neither may take
# more than 60 % of the link. FAIRNESS_SECONDS is how long they share it (20). The link is slow, so
# that a late turn of a busy machine is short beside the round trip.
#
#   us ──── tap0 ─┐
#                 bridge ── out0, 40 Mbit/s with 20 ms of queue ──── sink (iperf3 servers)
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
tc qdisc add dev out0 root tbf rate 40mbit burst 8000 limit 100kb

seconds=${FAIRNESS_SECONDS:-20}
for port in 5201 5202; do start "server-$port" nsenter -t "$sink" -n iperf3 -s -p "$port"; done
eventually nsenter -t "$rival" -n ping -c 1 -W 1 10.77.0.1
sleep 0.3

# What arrived, in Mbit/s.
received() {
  awk '/receiver/ {
    for (i = 2; i <= NF; i++)
      if ($i ~ /bits\/sec/) print $(i - 1) * ($i ~ /^G/ ? 1000 : $i ~ /^M/ ? 1 : 0.001)
  }' "$work/$1.log"
}

share() {
  start ours "$DEVNET" --interface eth0=tap:tap0 -c "
    ifconfig eth0 10.77.0.2/24
    ping -c 1 10.77.0.1
    echo ready
    iperf3 -c 10.77.0.1 -p 5201 -t $seconds"
  local ours=${started[-1]}
  eventually grep -q '^ready' "$work/ours.log"
  timeout $((seconds + 15)) nsenter -t "$rival" -n \
    iperf3 -c 10.77.0.1 -p 5202 -t "$seconds" --connect-timeout 3000 > "$work/theirs.log"
  for _ in $(seq 50); do grep -q receiver "$work/ours.log" && break; sleep 0.1; done
  kill "$ours" 2>/dev/null || true
  wait "$ours" || true
  echo "ours $(received ours) Mbit/s, the kernel $(received theirs)" | tee -a "$work/runs"
}

# Chance moves the share of a run by five percent and more. What one of them leaves open up to three
# decide together.
for _ in 1 2 3; do
  share
  verdict=$(awk '
    { ours += $2; theirs += $6 }
    END {
      share = 100 * ours / (ours + theirs)
      word = share >= 40 && share <= 60 ? "fair:" : "unfair:"
      if (share >= 45 && share <= 55) word = "clear:"
      printf "%s our share of %d runs is %.1f %%\n", word, NR, share
      if ((ours + theirs) / NR < 32) print "the link was not used"
    }' "$work/runs")
  [[ "$verdict" == clear:* ]] && break
done
echo "$verdict"
[[ "$verdict" != *unfair:* && "$verdict" != *'not used'* ]] ||
  fail 'not fair, or the link was not used'
