# On BusyBox too.
# Network and broadcast address.
network() {
    local a b c d m IFS=./
    set -- $1
    a=$1 b=$2 c=$3 d=$4
    m=$(( (0xffffffff << (32 - $5)) & 0xffffffff ))
    v=$(( (a << 24 | b << 16 | c << 8 | d) ))
    n=$((v & m)) w=$(( (v & m) | (~m & 0xffffffff) ))
    dotted() { echo "$(($1 >> 24)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))"; }
    echo "$(dotted $n) $(dotted $w)"
}
network 10.11.12.13/8
network 192.168.200.77/26
network 172.20.1.2/31
