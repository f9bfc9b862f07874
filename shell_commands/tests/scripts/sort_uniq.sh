# On BusyBox too.
# Sorting addresses by their numbers.
printf '%s\n' 10.0.0.10 10.0.0.9 10.0.0.2 10.0.0.9 | sort -t. -k4,4n | uniq
printf '3 c\n1 a\n2 b\n' | sort -n | cut -d' ' -f2 | tr '\n' ','; echo
printf 'b\na\nb\n' | sort | uniq -c | sort -rn | tr -s ' ' | head -n 1
printf 'x:2\ny:10\nz:1\n' | sort -t: -k2 -n -r
