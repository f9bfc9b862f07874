# On BusyBox too.
# A change that is taken back when a later step fails.
ip link set eth0 up
apply() {
    ip addr add 10.17.0.2/24 dev eth0 || return 1
    ip route add default via 10.99.0.1 dev eth0 2>/dev/null || return 2
}
rollback() { ip addr del 10.17.0.2/24 dev eth0; echo "rolled back"; }
apply || { echo "failed with $?"; rollback; }
ip -4 addr show dev eth0 | grep -c 'inet 10.17'
