# On BusyBox too.
# A gateway that is not on the link is an error.
ifconfig eth0 10.7.0.2 netmask 255.255.255.0 up
if ! route add default gw 10.8.0.1 2>/dev/null; then
    echo "no such way"
fi
ip route add 10.9.0.0/16 via 10.8.0.1 2>/dev/null || echo "no such way either"
ip route | wc -l
