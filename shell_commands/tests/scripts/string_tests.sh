# On BusyBox too.
# Tests of words, numbers and files.
T=${TMP:-/temporary}
[ -z "" ] && echo empty
[ -n "x" ] && echo "not empty"
[ a = a ] && [ a != b ] && echo words
[ 3 -lt 10 ] && [ ! 3 -gt 10 ] && echo numbers
: > $T/f
[ -e $T/f ] && [ -f $T/f ] && [ ! -s $T/f ] && [ ! -d $T/f ] && echo file
[ -d $T ] && echo directory
[ 1 -eq 1 -a 2 -eq 3 ] || echo "and"
[ 1 -eq 2 -o 3 -eq 3 ] && echo "or"
[ x -eq 1 ] 2>/dev/null; echo "status $?"
rm $T/f
