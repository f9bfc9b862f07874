# On BusyBox too.
# Words made of others.
echo "02:00:00:AA:BB:CC" | tr 'A-Z' 'a-z' | tr -d ':'
echo "a  b   c" | tr -s ' ' | cut -d' ' -f2-
echo "eth0:up:1500" | cut -d: -f1,3
echo "hello" | cut -c2-4
echo "a,b,c" | tr ',' '\n' | tail -n 2
echo "rot" | tr 'a-z' 'n-za-m'
