#!/bin/sh
# Says whether Wireshark's SMPP dissector finds anything malformed in a capture.
#   scripts/tshark-check.sh FILE.pcap [SMPP-PORT]      (the simulator gives one at /api/trace.pcap)
# With CHECKSUMS=1 also IP and TCP checksums: not for captures of a loopback interface, where the kernel leaves them out.
# Exit 0: all well; 1: malformed PDUs, or none at all; 77: no tshark on this machine.
set -u
file=${1:?usage: tshark-check.sh FILE.pcap [SMPP-PORT]}
port=${2:-2775}
if ! command -v tshark >/dev/null 2>&1; then
  echo "SKIP: no tshark on this machine (Debian package: tshark)"
  exit 77
fi
read_capture() {
  timeout 60 tshark -n -r "$file" -d "tcp.port==$port,smpp" -o tcp.check_checksum:TRUE "$@" 2>/dev/null
}
pdus=$(read_capture -Y smpp -T fields -E occurrence=a -E aggregator=/ -e smpp.command_id | tr '/' '\n' | grep -c .)
wrong="tcp.port == $port && (_ws.malformed || _ws.unreassembled)"
if [ "${CHECKSUMS:-}" = 1 ]; then wrong="$wrong || tcp.checksum.status == 0 || ip.checksum.status == 0"; fi
bad=$(read_capture -Y "$wrong" | wc -l)
echo "$pdus PDUs, $bad malformed or broken packets"
if [ "$bad" -gt 0 ]; then
  read_capture -Y "$wrong" | head -10
fi
if [ "$pdus" -gt 0 ] && [ "$bad" -eq 0 ]; then echo PASS; else echo FAIL; exit 1; fi
