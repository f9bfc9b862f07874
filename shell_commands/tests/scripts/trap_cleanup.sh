# On BusyBox too.
# What a script made goes when it ends.
T=${TMP:-/temporary}
(
    trap 'rm -f $T/lock; echo "cleaned"' EXIT
    echo $$ > $T/lock
    [ -f $T/lock ] && echo locked
    exit 4
)
echo "status $?"
[ -e $T/lock ] || echo "no lock"
