# On BusyBox too.
# Every interface by name.
for name in $(ip -o link show | cut -d: -f2 | cut -d@ -f1); do
    case $name in
        lo) echo "loopback $name" ;;
        eth*) echo "ethernet $name" ;;
    esac
done
