# On BusyBox too.
# Octets by arithmetic and parameter expansion.
ip=192.168.7.42
IFS=.
set -- $ip
unset IFS
echo "$#: $1 $2 $3 $4"
value=$(( ($1 << 24) | ($2 << 16) | ($3 << 8) | $4 ))
echo "$value"
printf '%d.%d.%d.%d\n' $((value >> 24 & 255)) $((value >> 16 & 255)) \
    $((value >> 8 & 255)) $((value & 255))
