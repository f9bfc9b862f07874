# On BusyBox too.
# Reads a file in the style of ifupdown and carries it out.
T=${TMP:-/temporary}
cat > $T/interfaces <<'END'
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    address 10.16.0.2
    netmask 255.255.255.0
    gateway 10.16.0.1
    up echo "hook for $IFACE"
END
IFACE= method= address= netmask= gateway=
apply() {
    [ -n "$IFACE" ] || return 0
    case $method in
        loopback) ifconfig $IFACE 127.0.0.1 up ;;
        static)
            ifconfig $IFACE $address netmask $netmask up
            [ -z "$gateway" ] || route add default gw $gateway $IFACE ;;
    esac
    [ -z "$hook" ] || eval "$hook"
    echo "configured $IFACE ($method)"
}
hook=
while read -r key value; do
    case $key in
        iface) apply; set -- $value; IFACE=$1 method=$3 address= netmask= gateway= hook= ;;
        address|netmask|gateway) eval "$key=\$value" ;;
        up) hook=$value ;;
    esac
done < $T/interfaces
apply
route -n | grep -c '^0.0.0.0'
rm $T/interfaces
