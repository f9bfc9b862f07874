# On BusyBox too.
# The same address twice is an error, and the script goes on to say so.
ip link set eth0 up
ip addr add 10.1.1.1/24 dev eth0
if ip addr add 10.1.1.1/24 dev eth0 2>/dev/null; then
    echo "added twice"
else
    echo "already there"
fi
ip -4 addr show eth0 | grep -c 'inet '
