# On BusyBox too.
# Loops with break and continue.
for i in 1 2 3 4 5 6; do
    [ $i = 2 ] && continue
    [ $i = 5 ] && break
    echo $i
done
for a in x y; do for b in 1 2 3; do [ $b = 2 ] && continue 2; echo $a$b; done; done
n=3
until [ $n = 0 ]; do n=$((n - 1)); done
echo "n=$n"
for i in $(seq 2 2 8); do printf '%s ' $i; done; echo
for w; do echo "no $w"; done
