# The configuration of a system, saved and restored.
ip link set eth0 up
ip addr add 10.31.0.1/24 dev eth0
ip route add 10.32.0.0/16 via 10.31.0.9
netconfig export > /temporary/saved
ip addr flush dev eth0
ip route | grep -c 10.3
netconfig apply /temporary/saved > /dev/null
ip route | grep -c 10.3
netconfig check /temporary/saved && echo valid
