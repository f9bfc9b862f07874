# On BusyBox too.
# Prefix lengths and masks, each way.
mask2prefix() {
    local bits=0 octet IFS=.
    for octet in $1; do
        while [ "$octet" -gt 0 ]; do
            bits=$((bits + (octet & 1)))
            octet=$((octet >> 1))
        done
    done
    echo $bits
}
prefix2mask() {
    local left=$1 mask= part i
    for i in 1 2 3 4; do
        if [ $left -ge 8 ]; then part=255; left=$((left - 8))
        else part=$((256 - (1 << (8 - left)))); left=0
        fi
        mask=$mask${mask:+.}$part
    done
    echo "$mask"
}
for prefix in 0 1 8 12 16 20 24 27 30 31 32; do
    mask=$(prefix2mask $prefix)
    back=$(mask2prefix "$mask")
    echo "$prefix $mask $back"
    [ "$prefix" = "$back" ] || exit 1
done
