#!/bin/sh
# What test/support/gcloud.ts puts in the place of gcloud. No Node: it is started hundreds of times, and Node takes long to start.
root=$FAKE_GCLOUD
# As the real one: a program of its own below the script.
if [ "$FAKE_GCLOUD_SLEEPS" ]; then
  echo $$ >"$root/sleeping"
  sleep "$FAKE_GCLOUD_SLEEPS"
fi
printf '%s\n' "$*" >>"$root/argv"
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' >>"$root/processes"
fail() {
  printf 'ERROR: (gcloud.secrets) %s\n' "$1" >&2
  exit 1
}
[ -z "$FAKE_GCLOUD_SAYS" ] || fail "$FAKE_GCLOUD_SAYS"
for arg; do
  case $arg in
    --project=*) project=${arg#*=} ;;
    --secret=*) secret=${arg#*=} ;;
    --data-file=-) stdin=yes ;;
  esac
done
count() {
  set -- "$root/secrets/$project/$1"/*
  [ -e "$1" ] && echo $# || echo 0
}
add() {
  [ "$stdin" ] || fail "no data on stdin"
  if [ -e "$root/writes-left" ]; then
    read -r left <"$root/writes-left" || :
    [ "$left" != 0 ] || fail "UNAVAILABLE: The service is currently unavailable."
    echo $((left - 1)) >"$root/writes-left"
  fi
  next=$(($(count "$1") + 1))
  cat >"$root/secrets/$project/$1/$next"
}
case "$2 $3" in
  "versions add")
    [ -d "$root/secrets/$project/$4" ] || fail "NOT_FOUND: Secret [projects/1/secrets/$4] not found."
    add "$4"
    ;;
  "versions "*)
    latest=$(count "$secret")
    [ "$latest" != 0 ] || fail "NOT_FOUND: Secret [projects/1/secrets/$secret] not found or has no versions."
    case $3 in
      access)
        # What a test wrote beside the version: DISABLED or DESTROYED.
        [ ! -e "$root/state-$secret-$latest" ] ||
          fail "FAILED_PRECONDITION: Secret Version [projects/1/secrets/$secret/versions/$latest] is in $(cat "$root/state-$secret-$latest") state."
        cat "$root/secrets/$project/$secret/$latest"
        ;;
      *) echo "${FAKE_GCLOUD_AT:-2026-11-01T10:00:00.000000Z}" ;;
    esac
    ;;
  "create "*)
    [ ! -d "$root/secrets/$project/$3" ] ||
      fail "Resource in projects [1] is the subject of a conflict: Secret [projects/1/secrets/$3] already exists."
    mkdir -p "$root/secrets/$project/$3"
    add "$3"
    ;;
  *) fail "unknown command" ;;
esac
