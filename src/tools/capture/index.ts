/** Captures of PDUs: reads, writes and shows pcap files, hex logs and Kannel logs. */
export { readPdus } from './capture.ts'
export { type Captured, capturedFrames, type Side } from './captured.ts'
export { pcapOf, type WirePdu } from './pcap-writer.ts'
export { maskNumber, maskNumbers, maskOctets, showPdu } from './show-pdu.ts'
