# The variables that a script of udhcpc has, out of what is in force.
dhcp -q eth0 || exit 1
ip=$(ip -o -4 addr show dev eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
router=$(ip route | sed -n 's/^default via \([0-9.]*\).*/\1/p')
dns=$(dns | sed -n 's/.*\(10\.0\.2\.[0-9]*\).*/\1/p' | head -n 1)
[ -n "$ip" ] && [ -n "$router" ] && [ -n "$dns" ] && echo bound
[ "$router" != "$ip" ] && echo "a router of its own"
