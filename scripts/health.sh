#!/bin/bash
# Whether the daemon in this container is ready: exit code 0 or 1. The health check of the image: no Node.js is started,
# and no curl is needed. health [PORT]
port=${1:-8123}
exec 3<> "/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /ready HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3 || exit 1
[ "$status" = 200 ]
