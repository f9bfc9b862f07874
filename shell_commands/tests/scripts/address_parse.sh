# On BusyBox too.
# The address of an interface out of what ifconfig prints, in the way of many scripts.
ifconfig eth0 172.16.5.9 netmask 255.255.0.0 up
get_ip() {
    ifconfig "$1" | grep 'inet ' | sed -e 's/addr://' -e 's/^ *inet *//' | cut -d' ' -f1
}
ip=$(get_ip eth0)
echo "ip=$ip"
case $ip in
    10.*|192.168.*|172.1[6-9].*|172.2[0-9].*|172.3[01].*) echo private ;;
    *) echo public ;;
esac
