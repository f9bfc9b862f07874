# Scripts of segments against the kernel: those that say `linux: same` must be kept by it too.
. "$(dirname "$0")/lab.sh"
# Metrics of earlier connections would change later ones; ECN only if the peer asks for it.
sysctl -qw net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_ecn=2 net.ipv4.tcp_timestamps=0
ip tuntap add segments mode tun
ip address add 10.0.0.1/24 dev segments
ip address add fd00::1/64 dev segments nodad
ip link set segments up
# One after the other: they share the device.
DEVNET_SEGMENTS_KERNEL=${DEVNET_SEGMENTS_KERNEL:-same} "$SEGMENTS" --test-threads 1 "$@"
