# The scripts that run on BusyBox too print there what ours does.
. "$(dirname "$0")/lab.sh"
scripts="$(dirname "$0")/../../shell_commands/tests/scripts"
mkdir "$work/bin"
busybox --install -s "$work/bin"
count=0
for script in "$scripts"/*.sh; do
  grep -q '^# On BusyBox too' "$script" || continue
  name=$(basename "$script" .sh)
  mkdir "$work/tmp"
  # Each in a namespace of its own, with a link that carries.
  unshare -n bash -c '
    ip link add eth0 type veth peer name peer && ip link set peer up
    sysctl -qw net.ipv6.conf.eth0.addr_gen_mode=1
    exec env -i PATH="$1" TMP="$2" timeout 20 sh "$3"' \
    - "$work/bin" "$work/tmp" "$script" > "$work/out" 2> "$work/errors.log" </dev/null \
    && status=0 || status=$?
  echo "= $status" >> "$work/out"
  diff -u "${script%.sh}.out" "$work/out" || fail "$name"
  rm -r "$work/tmp"
  count=$((count + 1))
done
[ "$count" -ge 50 ] || fail "only $count scripts"
