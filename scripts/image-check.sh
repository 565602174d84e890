#!/bin/sh
# The image as compose runs it: builds it (or takes the one that is named), then a simulator, the wallet and the daemon in containers
# of it, on the network of this machine. Prints PASS or FAIL lines; exit 0 only if all pass; exit 77 without a running engine.
#   REDIS_URL=… POSTGRES_URL=… scripts/image-check.sh [IMAGE]     # the database of a trial: the daemon migrates it
# Port 8123 must be free: the health check of the image asks there. The build needs the base image and the npm registry.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
engine=${ENGINE:-docker}
if ! "$engine" info >/dev/null 2>&1; then
  echo "SKIP: no running engine ($engine) on this machine"
  exit 77
fi
redis=${REDIS_URL:-redis://127.0.0.1:6379/0}
postgres=${POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}
image=${1:-ussd-connector:check}
smpp=27750 phone=27780 wallet=27786
work=$(mktemp -d)
run=image-check-$$
failed=0
finish() {
  "$engine" rm -f "$run-connector" "$run-simulator" "$run-wallet" >/dev/null 2>&1
  "$engine" volume rm "$run-data" >/dev/null 2>&1
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

[ $# -gt 0 ] || "$engine" build -t "$image" "$root" || exit 1

cp "$root/deploy/make-secrets.sh" "$work/"
token=$(sh "$work/make-secrets.sh" | sed -n 's/^  //p')
secret() { echo "-v $work/secrets/$1:/run/secrets/$1:ro"; }
sed -e "s|host: simulator, port: 2775|host: 127.0.0.1, port: $smpp|" -e "s|http://wallet:8675|http://127.0.0.1:$wallet|" \
  -e "s|^redis: .*|redis: { url: \"$redis\" }|" -e "s|^postgres: .*|postgres: { url: \"$postgres\" }|" \
  -e 's|host: 0.0.0.0|host: 127.0.0.1|' "$root/deploy/compose-connector.yaml" >"$work/connector.yaml"

# As x-hardened of deploy/compose.yaml.
start() {
  name=$1 && shift
  "$engine" run -d --name "$run-$name" --network host --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges:true \
    --pids-limit 64 --ulimit core=0 "$@" >/dev/null || exit 1
}
program="node /app/dist/src/cli/main.js"
# shellcheck disable=SC2046,SC2086
{
  start wallet -m 128m --no-healthcheck "$image" wallet --port $wallet
  start simulator -m 256m --no-healthcheck $(secret phone_token) "$image" simulate --port $smpp --http-port $phone \
    --http-token-file /run/secrets/phone_token
  start connector -m 768m $(secret smsc_password) $(secret admin_tokens) $(secret store_keys) -v "$run-data:/data" \
    -v "$work/connector.yaml:/etc/ussd-connector/connector.yaml:ro" "$image"
}

check() {
  if [ "$2" = "$3" ]; then echo "PASS $1"; else echo "FAIL $1: '$2', not '$3'" && failed=1; fi
}
health() { "$engine" inspect -f '{{.State.Health.Status}}' "$run-connector"; }
# The check comes each ten seconds, and three that fail are needed.
becomes() {
  for _ in $(seq 60); do [ "$(health)" = "$1" ] && break; sleep 1; done
  health
}
inside() { "$engine" exec -e "USSD_CONNECTOR_TOKEN=$token" "$run-connector" "$@"; }
# shellcheck disable=SC2086
dial() {
  "$engine" exec "$run-simulator" $program dial "$1" --url http://127.0.0.1:$phone --token-file /run/secrets/phone_token --answers 1 |
    head -n 1
}

check 'healthy by its own check' "$(becomes healthy)" healthy
check 'a dial of *123#, with Postgres' "$(dial '*123#')" 'Welcome! No profile found.'
check 'a dial of *675#, with a back end over HTTP' "$(dial '*675#')" 'Balance: PGK 25.00'
check 'the user is nobody' "$(inside sh -c 'id -u')" 65532
check 'the program cannot be written' "$(inside sh -c 'touch /app/x 2>/dev/null || echo refused')" refused
check 'no capabilities' "$(inside sh -c 'sed -n s/^CapEff:.//p /proc/1/status')" 0000000000000000
check 'no embedded Postgres' "$(inside sh -c 'ls /app/node_modules/@electric-sql 2>/dev/null')" ''
# shellcheck disable=SC2086
inside $program lines --stop simulator >/dev/null
check 'unhealthy without a line' "$(becomes unhealthy)" unhealthy
"$engine" stop -t 45 "$run-connector" >/dev/null
check 'SIGTERM ends it in order' "$("$engine" inspect -f '{{.State.ExitCode}}' "$run-connector")" 0
[ $failed = 0 ] || "$engine" logs "$run-connector" 2>&1 | tail -n 20
exit $failed
