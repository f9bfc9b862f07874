# On BusyBox too.
# The shape of an init script: start, stop, restart, status.
IF=eth0
ADDRESS=10.14.0.2/24
start() {
    ip link set $IF up && ip addr add $ADDRESS dev $IF && echo "$IF started"
}
stop() {
    ip addr flush dev $IF && ip link set $IF down && echo "$IF stopped"
}
status() {
    if ip -4 addr show dev $IF | grep -q "inet ${ADDRESS%/*}"; then
        echo "$IF is up"
    else
        echo "$IF is down"
        return 3
    fi
}
control() {
    case "$1" in
        start|stop|status) "$1" ;;
        restart) stop; start ;;
        *) echo "usage: start|stop|restart|status" >&2; return 1 ;;
    esac
}
control start
control status
control restart
control stop
control status
echo "status $?"
control frob 2>&1
echo "status $?"
