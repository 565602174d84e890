#!/bin/sh
# Kannel as a foreign SMPP client of the simulator: bind, submit by sendsms, receipt, mobile originated SMS.
# Prints PASS or FAIL lines; exit 0 only if all pass; exit 77 where Kannel is missing. Loopback only, at most a minute.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$PATH:/usr/sbin:/usr/local/sbin
for program in bearerbox smsbox curl; do
  if ! command -v "$program" >/dev/null 2>&1; then
    echo "SKIP: no $program on this machine (Debian package: $([ "$program" = curl ] && echo curl || echo kannel))"
    exit 77
  fi
done

work=$(mktemp -d)
pids=
finish() {
  for pid in $pids; do kill "$pid" 2>/dev/null; done
  for pid in $pids; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -9 "$pid" 2>/dev/null
  done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Five free ports, told by the kernel.
ports=$(node -e '
  const net = require("node:net")
  const servers = Array.from({ length: 5 }, () => net.createServer().listen(0, "127.0.0.1"))
  Promise.all(servers.map((s) => new Promise((done) => s.once("listening", done)))).then(() => {
    console.log(servers.map((s) => s.address().port).join(" "))
    servers.forEach((s) => s.close())
  })')
set -- $ports
smpp=$1 http=$2 admin=$3 box=$4 sendsms=$5

cat > "$work/kannel.conf" <<CONF
group = core
admin-port = $admin
admin-password = admin
smsbox-port = $box
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
admin-interface = 127.0.0.1
smsbox-interface = 127.0.0.1
dlr-storage = internal
log-level = 1
log-file = "$work/bearerbox.log"

group = smsc
smsc = smpp
smsc-id = simulator
host = 127.0.0.1
port = $smpp
transceiver-mode = true
smsc-username = kannel
smsc-password = secret08
system-type = ""
interface-version = 34
enquire-link-interval = 10

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $sendsms
sendsms-interface = 127.0.0.1
log-level = 1
log-file = "$work/smsbox.log"

group = sendsms-user
username = user
password = pass
max-messages = 3
concatenation = true

group = sms-service
keyword = default
text = "Got: %a"
CONF

cd "$root" || exit 1
node --import tsx src/cli/main.ts simulate --port "$smpp" --http-port "$http" > "$work/simulator.log" 2>&1 &
pids="$pids $!"

failed=0
check() {
  if [ "$2" = yes ]; then echo "PASS: $1"; else echo "FAIL: $1"; failed=1; fi
}
# Repeats a command until its output has the pattern; at most so many seconds.
within() {
  seconds=$1 pattern=$2
  shift 2
  end=$(($(date +%s) + seconds))
  while [ "$(date +%s)" -le "$end" ]; do
    if "$@" 2>/dev/null | grep -q "$pattern"; then echo yes; return; fi
    sleep 0.2
  done
  echo no
}

api="http://127.0.0.1:$http/api"
phone=67570000001
check "the simulator listens" "$(within 15 '\[\]' curl -s -m 2 "$api/binds")"
bearerbox "$work/kannel.conf" > /dev/null 2>&1 &
pids="$pids $!"
check "bearerbox binds as a transceiver" "$(within 15 '"mode":"transceiver","state":"bound"' curl -s -m 2 "$api/binds")"
smsbox "$work/kannel.conf" > /dev/null 2>&1 &
pids="$pids $!"
send="http://127.0.0.1:$sendsms/cgi-bin/sendsms?username=user&password=pass&from=CLINIC&to=$phone&dlr-mask=31&dlr-url=http%3A%2F%2F127.0.0.1%3A$http%2Fapi%2Fbinds%3Fdlr%3D%25d"
check "smsbox takes an SMS over HTTP" "$(within 15 'Accepted' curl -s -m 5 "$send&text=Reminder%3A+Checkup+at+9+AM")"
check "the SMS is on the phone" "$(within 10 'Reminder: Checkup at 9 AM' curl -s -m 2 "$api/phones/$phone")"
check "its receipt was delivered and acknowledged" "$(within 10 '"command":"deliver_sm_resp"[^}]*"status":"0x00' curl -s -m 2 "$api/trace")"
long=$(printf 'a%.0s' $(seq 1 300))
curl -s -m 5 "$send&text=$long" > /dev/null
check "a long SMS comes as parts and is whole on the phone" "$(within 10 "\"text\":\"$long\"" curl -s -m 2 "$api/phones/$phone")"
wide='नमस्ते, 9 AM'
curl -s -m 5 -G "$send&coding=2&charset=UTF-8" --data-urlencode "text=$wide" > /dev/null
check "a UCS-2 SMS is on the phone as it was written" "$(within 10 "\"text\":\"$wide\"" curl -s -m 2 "$api/phones/$phone")"
many=$(printf 'नमस्ते %.0s' $(seq 1 20))end
curl -s -m 5 -G "$send&coding=2&charset=UTF-8" --data-urlencode "text=$many" > /dev/null
check "a long UCS-2 SMS comes as parts and is whole on the phone" "$(within 10 "\"text\":\"$many\"" curl -s -m 2 "$api/phones/$phone")"
curl -s -m 5 -H 'content-type: application/json' -d '{"to":"123","text":"hello"}' "$api/phones/$phone/sms" > /dev/null
check "an SMS from the phone is answered by Kannel's service" "$(within 10 'Got: hello' curl -s -m 2 "$api/phones/$phone")"
check "nothing came that the simulator could not place" "$(within 1 '^0$' curl -s -m 2 "$api/strays")"

[ "$failed" = 0 ] || { tail -5 "$work/simulator.log"; grep -E 'ERROR|WARNING|PANIC' "$work"/*box.log | tail -10; }
exit "$failed"
