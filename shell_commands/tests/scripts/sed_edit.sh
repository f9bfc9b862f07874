# On BusyBox too.
# Configuration changed by sed.
T=${TMP:-/temporary}
printf 'option=1\n#comment\nserver=old.lan\nserver=other.lan\n' > $T/c
sed -e '/^#/d' -e 's/old/new/' $T/c
sed -i 's/^option=.*/option=2/' $T/c
sed -n 's/^option=//p' $T/c
sed '2,3d' $T/c
sed -n '$p' $T/c
sed 's/\([a-z]*\)\.lan/<\1>/' $T/c
rm $T/c
