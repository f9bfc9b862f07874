# On BusyBox too.
# Several addresses from a list, counted and removed again.
set -e
ip link set eth0 up
for n in 1 2 3 4 5; do
    ip addr add 10.20.$n.1/24 dev eth0
done
ip -o -4 addr show dev eth0 | sed 's/.*inet \([0-9./]*\).*/\1/' | sort
for n in 2 4; do
    ip addr del 10.20.$n.1/24 dev eth0
done
echo "left: $(ip -o -4 addr show dev eth0 | wc -l)"
