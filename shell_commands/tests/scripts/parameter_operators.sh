# On BusyBox too.
# Operators of parameter expansion.
url=http://user@web.lan:8080/dir/file.txt?x=1
scheme=${url%%://*}
rest=${url#*://}
authority=${rest%%/*}
host=${authority#*@}
port=${host##*:}
host=${host%:*}
path=/${rest#*/}
echo "$scheme $host $port $path"
file=${path##*/}
echo "${file%%\?*} ${#url}"
echo "${none:-default} ${none-x} ${scheme:+set}"
: ${assigned:=value}
echo "$assigned"
mac=02:00:00:00:00:01
echo "${mac%:*}:ff"
