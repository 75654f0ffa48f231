/**
 * The job that keeps the append-only file small: `shrink.sh HOST PORT DOCUMENT ABOVE SECONDS`, sizes in bytes.
 *
 * Speaks HTTP through nc: printf is part of the shell, so the password is in no argument list, and a connection that the
 * server closes after its answer cannot hang. tile38-cli has no time-out, exits 0 after errors and wants a home directory.
 */
export const shrinkScript = String.raw`#!/bin/sh
set -eu
host=$1 port=$2 document=$3 above=$4 seconds=$5

say() { printf '{"level":"%s","logger":"shrink","msg":"%s"}\n' "$1" "$2"; }
fail() {
  say error "$1"
  exit 1
}

password=$(sed -n 's/.*"requirepass" *: *"\([^"]*\)".*/\1/p' "$document" | head -n 1)
[ -n "$password" ] || fail "$document has no requirepass"

# Leaves the body in answer. Errors come with status 200, too.
ask() {
  answer=$(printf 'GET /%s HTTP/1.0\r\nAuthorization: %s\r\n\r\n' "$1" "$password" | timeout 30 nc "$host" "$port" | tr -d '\r' | tail -n 1) || true
  case $answer in
    *'"ok":true'*) ;;
    *'"err":"'*) fail "$host:$port answers $1 with: $(printf '%s' "$answer" | sed 's/.*"err":"\([^"]*\)".*/\1/')" ;;
    *) fail "$host:$port does not answer $1 within 30 s" ;;
  esac
}
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\([0-9a-z]*\).*/\1/p"; }
status() {
  ask server+ext
  size=$(field tile38_aof_size)
  running=$(field tile38_aof_rewrite_in_progress)
  [ -n "$size" ] && [ -n "$running" ] || fail "$host:$port does not say how large its file is"
}

status
before=$size
if [ "$before" -le "$above" ]; then
  say info "left alone: $before bytes are not above $above"
  exit 0
fi
# Does nothing where one is running already; then this waits for that one.
ask aofshrink
started=$(date +%s)
idle=0
while :; do
  sleep 1
  status
  took=$(($(date +%s) - started))
  if [ "$running" = true ]; then
    idle=0
  elif [ "$size" -lt "$before" ]; then
    break
  else
    idle=$((idle + 1))
  fi
  # The server tells its log alone why a shrink failed.
  [ "$idle" -lt 5 ] || fail "no smaller after $took s: $before bytes before, $size now. See the log of $host; if all of it is live, raise the limit of $above"
  [ "$took" -lt "$seconds" ] || fail "not done after $took s: $before bytes before, $size now"
done
say info "shrunk from $before to $size bytes in $took s"
[ "$size" -le "$above" ] || say warn "$size bytes are still above $above: raise it, or every run makes all followers fetch everything for nothing"
`;
