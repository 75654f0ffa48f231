import { createHash } from "node:crypto";

const MARK = 12;

/**
 * Chooses the key that a server runs with: `encryption.sh CIPHER KEYS DATA CONFIG`, in an init container.
 *
 * nats-server's own way to change a key, `prev_encryption_key`, must not be used. Seen on 2.12.15, 2.14.9 and 2.15.2: a server of
 * a cluster converts its streams and then dies with "Can't start JetStream: message authentication failed", because the files
 * of its meta group are opened with the current key alone (filestore.go, recoverAEK); a server without a cluster starts and has
 * lost its consumers (convertCipher of consumers tries one key). With a wrong key, or with none, a server without a cluster
 * starts as if its streams had never been.
 *
 * So each volume keeps the key it began with: a note on the volume says which (a hash, of 256 random bits), and a server that
 * comes back gets that key. A new key is for an empty volume; its server fetches everything from the others.
 *
 * The key reaches the server as a copy that does not change while the pod lives. With the mounted Secret itself the next
 * reload after a change would fail and log both keys: "config reload not supported for JetStreamKey: old=..., new=...".
 */
export const encryptionScript: string = String.raw`#!/bin/sh
set -eu
cipher=$1 keys=$2 data=$3 config=$4
note=$data/encryption

say() { printf '[encryption] %s\n' "$1"; }
refuse() {
  say "REFUSED: $1" >&2
  exit 1
}
encrypted() { [ -n "$(find "$data" -name meta.key 2>/dev/null | head -n 1)" ]; }
# Of the key alone, as the server reads it: a store may end what it mounts with a line feed, or not.
hash_of() { tr -d '\n' <"$1" | sha256sum | cut -c 1-64; }
# An earlier note may be of the file as it was, line feed and all.
is_used() {
  [ -s "$1" ] || return 1
  [ "$used" = "$(hash_of "$1")" ] || [ "$used" = "$({ tr -d '\n' <"$1" && echo; } | sha256sum | cut -c 1-64)" ]
}

if [ "$cipher" = none ]; then
  if [ -e "$note" ] || encrypted; then
    refuse "this volume is encrypted and nats.encryption is none: the server would start without its streams. Turn it on again, or give this server an empty volume (docs/rotation.md)"
  fi
  say "files are not encrypted"
  exit 0
fi

for key in current previous; do
  [ -r "$keys/$key" ] || refuse "$keys/$key cannot be read"
  case $key:$(wc -c <"$keys/$key") in
    previous:0) continue ;;
  esac
  grep -qE '^[A-Za-z0-9]{32,}$' "$keys/$key" && [ "$(wc -l <"$keys/$key")" -le 1 ] ||
    refuse "the $key key is not 32 or more letters and digits"
done

if [ -e "$note" ]; then
  read -r used_cipher used <"$note" || refuse "$note is broken: it must hold the cipher and the hash of the key"
else
  used_cipher=$cipher used=$(hash_of "$keys/current")
  encrypted && say "found encrypted files without a note of their key: taking the current one"
  printf '%s %s\n' "$used_cipher" "$used" >"$note.new"
  mv "$note.new" "$note"
fi

if is_used "$keys/current"; then
  key=current
elif is_used "$keys/previous"; then
  key=previous
  say "this volume keeps the previous key; an empty volume would begin with the current one"
else
  refuse "this volume was written with a key that is neither the current nor the previous one. Bring back its version of the encryption key in the secret store, or give this server an empty volume if the others are complete (docs/rotation.md)"
fi
[ "$used_cipher" = "$cipher" ] || say "this volume keeps the cipher $used_cipher"

umask 077
{
  printf 'cipher: "%s"\nkey: "' "$used_cipher"
  tr -d '\n' <"$keys/$key"
  printf '"\n'
} >"$config"
say "files are encrypted with $used_cipher and the $key key ($(hash_of "$keys/$key" | cut -c 1-${MARK}))"
`;

/** By which the log tells one key from another. "Current" alone is what was current when the pod started. @returns hex */
export const markOf = (key: string): string => createHash("sha256").update(key).digest("hex").slice(0, MARK);

/** The mark of the key that the volume has, in the script's log of the last start; undefined where it says none. */
export const markIn = (log: string): string | undefined =>
  [...log.matchAll(/\[encryption\] files are encrypted with \S+ and the \w+ key \(([0-9a-f]+)\)/g)].at(-1)?.[1];
