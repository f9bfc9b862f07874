# Names and services of the link, with Avahi: each finds the other's, and a name that Avahi has is
# left to it.
. "$(dirname "$0")/lab.sh"
tap

# A bus of its own, and a place for the file of the daemon's number, which has a fixed name.
mkdir -p "$work/run" /run/avahi-daemon
cat > "$work/bus.conf" <<CONF
<busconfig>
  <type>system</type>
  <listen>unix:path=$work/run/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
CONF
cat > "$work/avahi.conf" <<CONF
[server]
host-name=other
use-ipv4=yes
use-ipv6=yes
allow-interfaces=tap0
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
CONF
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/run/bus"
start bus dbus-daemon --config-file="$work/bus.conf" --nofork
eventually test -S "$work/run/bus"
start avahi unshare -m sh -c "mount -t tmpfs none /run/avahi-daemon &&
  exec avahi-daemon -f '$work/avahi.conf' --no-drop-root --no-chroot --no-rlimits --debug"
eventually grep -q 'Server startup complete' "$work/avahi.log"
start publish avahi-publish -s --subtype _color._sub._ipp._tcp \
  'Their printer, 1.' _ipp._tcp 631 rp=queue note='a b'
eventually grep -q Established "$work/publish.log"

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ifconfig eth0 10.77.0.2/24 up
  dns hostname eth0 other
  dns publish eth0 "Our page" _http._tcp,_printer 80 path=/ "note=a b"
  dns multicast eth0 on
  dns watch _watched._udp eth0 &
  sleep 8
  dns multicast eth0
  echo announced
  ping -c 1 other.local || exit 9
  nslookup 10.77.0.1 || exit 8
  dns browse _ipp._tcp 3
  dns browse _color._sub._ipp._tcp 3
  dns browse _services._dns-sd._udp 3
  nslookup nobody.local && exit 7
  echo looked
  sleep 8
  dns withdraw eth0 "Our page" _http._tcp
  echo withdrawn
  sleep 60'
eventually grep -q '^announced' "$work/devnet.log"
has() { grep -qF "$1" "$work/devnet.log" || fail "no '$1'"; }
# Avahi has the name already.
has 'eth0: on other-2.local announced'
has '_http._tcp,_printer 80 announced Our page'

avahi-resolve -4 -n other-2.local > "$work/resolve.log" 2>&1
grep -q 'other-2.local.*10\.77\.0\.2' "$work/resolve.log" || fail 'our name'
avahi-resolve -6 -n other-2.local >> "$work/resolve.log" 2>&1
grep -q 'other-2.local.*fe80::.*77' "$work/resolve.log" || fail 'our name by IPv6'
avahi-resolve -a 10.77.0.2 > "$work/reverse.log" 2>&1
grep -q '10\.77\.0\.2.*other-2\.local' "$work/reverse.log" || fail 'our address'
avahi-browse -rptk _http._tcp > "$work/browse.log" 2>&1
grep -q '^=;tap0;IPv4;Our\\032page;_http._tcp;local;other-2.local;10.77.0.2;80;.*"path=/"' \
  "$work/browse.log" || fail 'our service'
grep -q '"note=a b"' "$work/browse.log" || fail 'its text'
avahi-browse -rptk _printer._sub._http._tcp > "$work/subtype.log" 2>&1
grep -q '^=;tap0;IPv4;Our\\032page;.*;local;other-2.local;10.77.0.2;80;' "$work/subtype.log" ||
  fail 'our service by its subtype'
avahi-browse -aptk > "$work/types.log" 2>&1
grep -q ';Our\\032page;_http._tcp;local' "$work/types.log" || fail 'our type of service'

# A service that comes and goes while it is watched.
start comes avahi-publish -s 'Comes and goes' _watched._udp 9 a=b
eventually grep -q '^+ eth0 _watched._udp Comes and goes' "$work/devnet.log"
eventually grep -q '^  other.local port 9 ' "$work/devnet.log"
kill "${started[-1]}"
eventually grep -q '^- eth0 _watched._udp Comes and goes' "$work/devnet.log"

# Each step has the time of its own.
for step in looked withdrawn; do
  for _ in 1 2 3; do grep -qs "^$step" "$work/devnet.log" || sleep 5; done
  eventually grep -q "^$step" "$work/devnet.log"
done
has '1 packets received'
has 'name = other.local'
has 'eth0 _ipp._tcp Their printer, 1.'
has 'eth0 _color._sub._ipp._tcp Their printer, 1.'
has '  other.local port 631'
has '  rp=queue'
has '  note=a b'
has 'eth0 _services._dns-sd._udp _ipp._tcp'
sleep 2
avahi-browse -ptk _http._tcp > "$work/gone.log" 2>&1
grep -q 'Our' "$work/gone.log" && fail 'our service is still there'
exit 0
