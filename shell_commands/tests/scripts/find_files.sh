# On BusyBox too.
# Files of a tree.
T=${TMP:-/temporary}/tree
mkdir -p $T/a/b
echo 1 > $T/a/x.conf; echo 2 > $T/a/b/y.conf; echo 3 > $T/z.txt
find $T -name '*.conf' | sed "s#$T/##" | sort
find $T -type d | wc -l | tr -d ' '
find $T -name '*.conf' -exec cat {} \; | sort
for f in $T/a/*.conf $T/none*; do [ -e "$f" ] && echo "${f##*/}"; done
rm -r $T
[ -d $T ] || echo gone
