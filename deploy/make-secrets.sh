#!/bin/sh
# Makes what deploy/compose.yaml mounts as secrets, where it is not there yet: passwords, keys, and a token for the admin server.
# The folder is yours alone; the files in it are readable, since compose mounts them as they are and the daemon is user 65532.
set -eu
dir=$(dirname "$0")/secrets
mkdir -p "$dir"
chmod 700 "$dir"
umask 022
missing() { [ ! -e "$dir/$1" ]; }

if missing smsc_password; then openssl rand -hex 4 | tr -d '\n' > "$dir/smsc_password"; fi # SMPP allows 8 characters
if missing postgres_password; then openssl rand -hex 16 | tr -d '\n' > "$dir/postgres_password"; fi
if missing redis_password; then openssl rand -hex 16 | tr -d '\n' > "$dir/redis_password"; fi
if missing redis_conf; then printf 'requirepass %s\n' "$(cat "$dir/redis_password")" > "$dir/redis_conf"; fi # redis-server reads no password file
if missing store_keys; then
  { printf 'names: %s\n' "$(openssl rand -base64 32)"; printf 'k%s: %s\n' "$(openssl rand -hex 3)" "$(openssl rand -base64 32)"; } > "$dir/store_keys"
fi
if missing admin_tokens; then
  token=$(openssl rand -hex 32)
  printf 'read,support,operate,publish,push,trace:%s compose\n' "$(printf %s "$token" | openssl dgst -sha256 -r | cut -c1-64)" > "$dir/admin_tokens"
  echo "The token of the admin server, said only now (curl -H 'Authorization: Bearer …' http://127.0.0.1:8123/v1/lines):"
  echo "  $token"
fi
if missing phone_token; then openssl rand -hex 16 | tr -d '\n' > "$dir/phone_token"; fi
echo "The phone, once compose is up: http://127.0.0.1:8080/#token=$(cat "$dir/phone_token")"
echo "secrets are in $dir"
