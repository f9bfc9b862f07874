# On BusyBox too.
# MTU by ip and by ifconfig.
ip link set eth0 mtu 1400
ip link show eth0 | grep -o 'mtu [0-9]*'
ifconfig eth0 mtu 1450
ip link show eth0 | grep -o 'mtu [0-9]*'
ip link set eth0 mtu 67 2>/dev/null; echo "status $(( $? != 0 ))"
