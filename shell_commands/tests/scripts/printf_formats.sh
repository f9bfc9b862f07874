# On BusyBox too.
# Layouts by printf.
printf '%-10s|%6s|%05d|%x|%o|%%\n' eth0 up 42 255 8
printf '%s %s\n' a b c d
printf '%5.2s|\n' abcdef
printf '%02x:%02x:%02x\n' 2 170 255
printf 'no newline'; echo
printf '%b' 'tab\there\n'
printf '%d\n' 0x10 010
