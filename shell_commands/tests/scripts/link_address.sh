# On BusyBox too.
# The hardware address, set while the link is down.
ip link set eth0 down
ip link set eth0 address 02:aa:bb:cc:dd:01
ip link show eth0 | grep -o '02:aa:[0-9a-f:]*'
ifconfig eth0 hw ether 02:AA:BB:CC:DD:02
ip link show eth0 | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p'
