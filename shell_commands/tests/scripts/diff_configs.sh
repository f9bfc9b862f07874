# On BusyBox too.
# What changed between two configurations.
T=${TMP:-/temporary}
printf 'a\nb\nc\n' > $T/1; printf 'a\nB\nc\nd\n' > $T/2
diff -u $T/1 $T/2 | sed 1,2d
cmp -s $T/1 $T/2 || echo different
cp $T/1 $T/3; cmp $T/1 $T/3 && echo same
rm $T/1 $T/2 $T/3
