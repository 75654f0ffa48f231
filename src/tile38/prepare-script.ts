/**
 * Runs before the server, in its container: `prepare.sh leader|follower DOCUMENT CONFIG AOF COMMAND...`
 *
 * Not an init container: those run once per pod, but the server also starts again inside it, and the two things that must
 * happen before every start belong to exactly that case. A leader killed for its memory during AOFSHRINK comes back between
 * the two renames and would create an empty file; a follower that comes back with what it had keeps objects that were deleted
 * meanwhile, because a leader that shrank no longer tells (tidwall/tile38#688, checksum.go).
 */
export const prepareScript = String.raw`#!/bin/sh
set -eu
role=$1 document=$2 config=$3 aof=$4
shift 4

say() { printf '{"level":"%s","logger":"prepare","msg":"%s"}\n' "$1" "$2"; }
refuse() {
  say error "$1"
  exit 1
}

# The server reads broken JSON as far as it can and would start without a password. So the document must be one flat
# object of texts and whole numbers, and nothing else.
[ -r "$document" ] || refuse "$document cannot be read"
[ -s "$document" ] || refuse "$document is empty"
text=$(tr '\n\r\t' '   ' <"$document")
pair=' *"[a-z_-]+" *: *("[^"\\ ]+"|[0-9]+) *'
printf '%s' "$text" | grep -qE "^ *[{]$pair(,$pair)*[}] *$" ||
  refuse "$document is no flat JSON object of texts without spaces and whole numbers"
has() { printf '%s' "$text" | grep -q "\"$1\" *:"; }
has requirepass || refuse "$document has no requirepass: the server would let everybody in"
case $role in
  leader) ! has follow_host || refuse "$document has a follow_host: the leader follows nobody" ;;
  follower) has follow_host || refuse "$document has no follow_host: there would be two leaders" ;;
  *) refuse "$role is no role, expected leader or follower" ;;
esac

# FOLLOW no one, given by hand, is written into the server's own copy. It holds as long as the pod does.
if [ "$role" = follower ] && [ -s "$config" ] && ! grep -q '"follow_host"' "$config"; then
  say warn "this follower was promoted: it keeps its configuration and its data until the pod is replaced"
  role=leader
else
  rm -f "$config"
  (umask 077 && cat "$document" >"$config")
fi

if [ "$role" = follower ]; then
  rm -f "$aof" "$aof-bak" "$aof-shrink"
  say info "a follower starts empty and fetches everything from its leader"
  exec "$@"
fi

# AOFSHRINK writes -shrink, syncs it, renames the live file to -bak, renames -shrink to the live name, removes -bak
# (aofshrink.go). A server that finds no live file creates an empty one.
if [ -e "$aof-bak" ]; then
  if [ ! -s "$aof" ]; then
    # Killed between the renames, perhaps started once without this script. -bak has every write that was answered.
    mv -f "$aof-bak" "$aof"
    rm -f "$aof-shrink"
    say warn "AOFSHRINK was cut off between its renames: the file from before it is back"
  elif [ ! -e "$aof-shrink" ]; then
    # Killed after the second rename: the live file is the shrunk one and complete.
    rm -f "$aof-bak"
    say info "AOFSHRINK was cut off before it tidied up: removed the file from before it"
  else
    # The server leaves this behind only if it ran on an empty file after such a kill. Which data counts is for people to say.
    aside=$aof-bak-$(date -u +%Y%m%dT%H%M%SZ)
    mv "$aof-bak" "$aside"
    rm -f "$aof-shrink"
    say error "two histories: the server goes on with $aof, the older one is kept as $aside"
  fi
elif [ -e "$aof-shrink" ]; then
  [ -e "$aof" ] || refuse "$aof is gone and $aof-shrink may be incomplete: put back a backup, or rename it to start with what it has"
  # Killed before the renames.
  rm -f "$aof-shrink"
  say info "AOFSHRINK was cut off while it wrote: removed its unfinished file"
fi
if [ -s "$aof" ]; then
  say info "starts with $(wc -c <"$aof") bytes of $aof"
else
  say warn "starts empty: there is no $aof, or nothing in it"
fi
exec "$@"
`;
