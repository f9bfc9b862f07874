# On BusyBox too.
# Restarts a link that was set down, a bounded number of times.
ip link set eth0 up
ip addr add 10.21.0.1/24 dev eth0
checks=0 repairs=0
while [ $checks -lt 4 ]; do
    checks=$((checks + 1))
    [ $checks = 2 ] && ip link set eth0 down
    if ! ip link show eth0 | head -n 1 | grep -q '[<,]UP[,>]'; then
        repairs=$((repairs + 1))
        ip link set eth0 up
    fi
done
echo "$checks checks, $repairs repairs"
