/** Captures of PDUs: pcap, hex logs and Kannel logs, read, written and shown. */
export { readPdus } from './capture.ts'
export { type Captured, capturedFrames, type Side } from './captured.ts'
export { pcapOf, type WirePdu } from './pcap-writer.ts'
export { maskNumber, maskNumbers, maskOctets, showPdu } from './show-pdu.ts'
