# On BusyBox too.
# Options of a script.
parse() {
    OPTIND=1 verbose=0 iface= count=1
    while getopts "vi:c:h" option "$@"; do
        case $option in
            v) verbose=$((verbose + 1)) ;;
            i) iface=$OPTARG ;;
            c) count=$OPTARG ;;
            h) echo "usage: parse [-v] [-i IF] [-c N] HOST"; return 0 ;;
            *) return 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    echo "verbose=$verbose iface=${iface:-any} count=$count host=${1-none}"
}
parse -v -i eth0 -c 3 web.lan
parse -vv host other
parse -h
parse -x 2>/dev/null
echo "status $?"
