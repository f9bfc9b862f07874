# On BusyBox too.
# Waits for a host with a bound of tries.
ifconfig lo 127.0.0.1 up
wait_for() {
    tries=0
    until ping -c 1 -W 1 "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -ge 3 ] && return 1
        sleep 0.1
    done
    return 0
}
wait_for 127.0.0.1 && echo reached
ifconfig lo down
wait_for 127.0.0.1 || echo "gave up after $tries"
ifconfig lo up
