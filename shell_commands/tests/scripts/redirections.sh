# On BusyBox too.
# Descriptors.
T=${TMP:-/temporary}
{ echo out; echo err >&2; } 2>/dev/null
{ echo out; echo err >&2; } 2>&1 >/dev/null
exec 3> $T/three
echo "to three" >&3
exec 3>&-
cat $T/three
echo one > $T/f; echo two >> $T/f; cat < $T/f
cat $T/none 2>/dev/null || echo "status $?"
while read -r line; do echo "<$line>"; done < $T/f
rm $T/three $T/f
