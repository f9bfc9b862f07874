# On BusyBox too.
# A static address, as a set-up script of a board does it.
IF=eth0
ADDRESS=192.168.50.2
NETMASK=255.255.255.0
ifconfig $IF $ADDRESS netmask $NETMASK up || exit 1
ifconfig $IF | grep -q "$ADDRESS" && echo "$IF has $ADDRESS"
ip -4 addr show dev $IF | grep -o 'inet [0-9./]*'
