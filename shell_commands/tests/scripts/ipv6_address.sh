# On BusyBox too.
# IPv6 by hand.
ip link set eth0 up
ip -6 addr add fd00:5::2/64 dev eth0 nodad 2>/dev/null || ip -6 addr add fd00:5::2/64 dev eth0
ip -6 addr show dev eth0 | grep -o 'fd00:5::2/64'
ip -6 route add fd00:6::/48 via fd00:5::1 dev eth0
ip -6 route | grep -o 'fd00:6::/48 via fd00:5::1'
ip -6 route del fd00:6::/48
ip -6 addr del fd00:5::2/64 dev eth0
ip -6 addr show dev eth0 | grep -c fd00
