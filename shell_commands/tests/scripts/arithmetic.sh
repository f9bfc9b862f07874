# On BusyBox too.
# Arithmetic of scripts that compute with addresses and times.
i=0
while [ $i -lt 3 ]; do i=$((i + 1)); done
echo $i $((i * i)) $((7 / 2)) $((-7 / 2)) $((7 % 3)) $((1 << 10)) $((0x1f)) $((017))
echo $((5 > 3)) $((5 == 3)) $((5 > 3 && 0)) $((!5)) $((~0 & 255)) $((1 ? 2 : 3))
a=5; echo $((a += 3)) $a $((a++)) $a $((--a)) $a
rx=1500000 s=12
echo "$((rx * 8 / s / 1000)) kbit/s"
