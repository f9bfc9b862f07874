# On BusyBox too.
# Up and down, seen in the flags.
state() { ip link show eth0 | head -n 1 | grep -q '[<,]UP[,>]' && echo up || echo down; }
ip link set eth0 down; state
ip link set eth0 up; state
ifconfig eth0 down; state
ifconfig eth0 up; state
