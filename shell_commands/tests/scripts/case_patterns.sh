# On BusyBox too.
# Kinds of addresses by patterns.
kind() {
    case $1 in
        127.*) echo loopback ;;
        169.254.*) echo link-local ;;
        22[4-9].*|23[0-9].*) echo multicast ;;
        *:*) echo IPv6 ;;
        [0-9]*.[0-9]*.[0-9]*.[0-9]*) echo IPv4 ;;
        "") echo nothing ;;
        *[!a-z0-9.-]*) echo "bad name" ;;
        *) echo name ;;
    esac
}
for word in 127.0.0.1 169.254.3.4 239.1.1.1 fe80::1 8.8.8.8 "" web.lan 'a b' x_y; do
    echo "'$word' $(kind "$word")"
done
