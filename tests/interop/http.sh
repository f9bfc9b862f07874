# Redirects, ranges and conditions: our wget with nginx, curl with our httpd.
. "$(dirname "$0")/lab.sh"
tap
web_file 100000
mkdir -p "$work/www/d" "$work/www/a b"
printf page > "$work/www/d/c"
printf spaces > "$work/www/a b/ä"
cat > "$work/nginx.conf" <<CONF
daemon off; pid $work/nginx/pid; error_log $work/nginx/error; user root;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $work/nginx/a; proxy_temp_path $work/nginx/b;
  fastcgi_temp_path $work/nginx/c; uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
  absolute_redirect off;
  server { listen 10.77.0.1:80; root $work/www;
    location = /303 { return 303 /d/c; }
    location = /d/302 { return 302 ./e/../c?next=http://a/#top; }
    location = /utf { return 302 "/a b/ä"; }
    location = /loop { return 302 loop; }
    location = /307 { return 307 /echo; }
    location = /away { return 302 http://10.77.0.1:81/; }
    location = /echo { return 200 "\$request_method \$http_authorization"; } }
  server { listen 10.77.0.1:81; location / { return 200 "[\$http_authorization]"; } } }
CONF
start nginx nginx -c "$work/nginx.conf"
eventually curl -sf -o /dev/null http://10.77.0.1/file

start devnet "$DEVNET" --interface eth0=tap:tap0 -c '
  ifconfig eth0 10.77.0.2/24; cd /temporary
  echo -n "303: "; wget -q -O - --post-data x=1 http://10.77.0.1/303; echo
  echo -n "302: "; wget -q -O - http://10.77.0.1/d/302; echo
  echo -n "utf: "; wget -q -O - http://10.77.0.1/utf; echo
  echo -n "typed: "; wget -q -O - "http://10.77.0.1/d/../a b/ä"; echo
  echo -n "slash: "; wget -q -O - http://10.77.0.1/d 2>&1
  echo -n "307: "; wget -q -O - --header "Authorization: s" --post-data x http://10.77.0.1/307; echo
  echo -n "away: "; wget -q -O - --header "Authorization: s" http://10.77.0.1/away; echo
  echo -n "loop: "; wget -q -O - http://10.77.0.1/loop 2>&1
  wget -q http://10.77.0.1/file; head -c 40000 file > part
  wget -q -c -O part http://10.77.0.1/file; sha256sum part
  wget -c -O part http://10.77.0.1/file 2>&1; sha256sum part
  mkdir dir; httpd -p 80 -h /temporary &
  sleep 100'
log=$work/devnet.log
eventually curl -sf --max-time 1 -o /dev/null http://10.77.0.2/part
cat "$log"
for line in '303: page' '302: page' 'utf: spaces' 'typed: spaces' '307: POST s' 'away: []' \
  'slash: wget: server returned error: HTTP/1.1 403 Forbidden' 'loop: wget: too many redirections' \
  "'part' is complete"; do
  grep -qxF -- "$line" "$log" || fail "no line: $line"
done
[ "$(grep -c "^$wanted  part" "$log")" -eq 2 ] || fail 'the resumed file differs'

# A request of curl: the status, then what else is asked for.
file=http://10.77.0.2/file
code() { curl -s --max-time 10 -o "$work/body" -w '%{http_code}' "$@"; }
expect() {
  local wanted=$1 found; shift
  found=$(code "$@")
  [ "$found" = "$wanted" ] || fail "$found instead of $wanted: $*"
}
curl -sf --max-time 10 -o "$work/back" --etag-save "$work/tag" "$file"
cmp "$work/back" "$work/www/file"
tag=$(cat "$work/tag")
expect 304 --etag-compare "$work/tag" "$file"
expect 304 -H 'If-None-Match: *' "$file"
expect 412 -H 'If-Match: "other"' "$file"
expect 200 -H "If-Match: $tag" "$file"
expect 206 -r 10-19 -H "If-Range: $tag" "$file"
cmp "$work/body" <(tail -c +11 "$work/www/file" | head -c 10)
expect 200 -r 10-19 -H "If-Range: W/$tag" "$file"
expect 200 -r 10-19 -H 'If-Range: Mon, 01 Jan 1990 00:00:00 GMT' "$file"
expect 206 -r -10 "$file"
expect 416 -r 100000- "$file"
expect 405 -X OPTIONS "$file"
head -c 60000 "$work/www/file" > "$work/resumed"
curl -sf --max-time 10 -C - -o "$work/resumed" "$file"
cmp "$work/resumed" "$work/www/file"
redirect() { curl -s --max-time 10 --path-as-is -o /dev/null -w '%{redirect_url}' "$1"; }
location=$(redirect 'http://10.77.0.2/dir?x=1')
[ "$location" = 'http://10.77.0.2/dir/?x=1' ] || fail "the directory is at $location"
location=$(redirect http://10.77.0.2//dir)
[ "$location" = http://10.77.0.2/dir/ ] || fail "//dir is at $location"
echo 'redirects, ranges and conditions agree'
