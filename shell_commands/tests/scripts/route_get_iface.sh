# On BusyBox too.
# Which interface leads to an address.
ip link set eth0 up
ifconfig lo 127.0.0.1 up
ip addr add 10.10.1.1/24 dev eth0
iface_for() {
    ip route get "$1" | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1
}
iface_for 10.10.1.9
iface_for 127.0.0.1
