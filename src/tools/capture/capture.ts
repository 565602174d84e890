/** Reads a file of PDUs: a network capture or a hex log. */
import { readFileSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { UsageError } from '../../base/index.ts'
import { capturedFrames, type Captured, type Frame, type Side } from './captured.ts'
import { readHexLog } from './hex-log.ts'
import { isKnownLink, segmentOf, type Segment } from './packet.ts'
import { isKannelLog, readKannelLog } from './kannel-log.ts'
import { isCapture, readCapture } from './pcap-reader.ts'
import { reassemble } from './reassembly.ts'

/** The largest capture file. A capture of SMPP alone is far smaller; a whole day of a network is not needed. */
const CAPTURE_OCTETS_MAX = 512 * 1024 * 1024

const GZIP = 0x1f8b

export interface Capture {
  pdus: Captured[]
  /** What could not be used, in words; empty if everything was used. */
  remarks: string[]
}

/** Throws UsageError if the file does not exist or has no SMPP in it. */
export function readPdus(path: string): Capture {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new UsageError(`there is no file ${path}`)
  if (size > CAPTURE_OCTETS_MAX) {
    throw new UsageError(`${path} is larger than ${CAPTURE_OCTETS_MAX >> 20} MB: filter it by the port of the SMSC`)
  }
  const octets = unpacked(readFileSync(path), path)
  const capture = isCapture(octets) ? fromPackets(octets) : fromLog(octets.toString('latin1'))
  if (capture.pdus.length === 0) {
    const remarks = capture.remarks.length > 0 ? ` (${capture.remarks.join('; ')})` : ''
    throw new UsageError(`no SMPP found in ${path}${remarks}: give a pcap of the bind, or a log of its PDUs in hex`)
  }
  return capture
}

/** Unpacks a gzipped file; kept captures often are. */
function unpacked(octets: Buffer, path: string): Buffer {
  if (octets.length < 18 || octets.readUInt16BE(0) !== GZIP) return octets
  try {
    return gunzipSync(octets, { maxOutputLength: CAPTURE_OCTETS_MAX })
  } catch {
    throw new UsageError(
      `${path} is a gzip file that is broken or larger than ${CAPTURE_OCTETS_MAX >> 20} MB: unpack it and filter it by the port of the SMSC`,
    )
  }
}

function fromPackets(octets: Buffer): Capture {
  const segments: Segment[] = []
  let others = 0
  let cut = 0
  const unknown = new Set<number>()
  for (const packet of readCapture(octets)) {
    if (!isKnownLink(packet.linkType)) unknown.add(packet.linkType)
    const segment = segmentOf(packet)
    if (packet.isCut) cut++
    if (segment) segments.push(segment)
    else if (!packet.isCut) others++
  }
  const { frames, lostOctets } = reassemble(segments)
  const sides = sidesOf(frames)
  const { pdus, broken } = capturedFrames(
    frames.map(({ sender, ...frame }) => {
      const from = sides.get(`${frame.link} ${sender}`)
      return from ? { ...frame, from } : frame
    }),
  )
  const remarks = [
    unknown.size > 0
      ? `cannot read packets of link type ${[...unknown].join(', ')}: capture on an Ethernet interface, or on "any"`
      : '',
    cut > 0 ? `${cut} packets are incomplete: capture whole packets (tcpdump -s 0)` : '',
    others > 0 ? `${others} packets are not TCP` : '',
    lostOctets > 0 ? `${lostOctets} octets belong to no whole PDU` : '',
    broken > 0 ? `${broken} PDUs cannot be read` : '',
  ]
  return { pdus, remarks: remarks.filter((it) => it !== '') }
}

/** Which end of a connection is the ESME and which the SMSC, by the commands that only one of them sends. */
function sidesOf(frames: readonly (Frame & { sender: string })[]): Map<string, Side> {
  const sides = new Map<string, Side>()
  for (const { link, sender, ...frame } of frames) {
    const [one] = capturedFrames([{ ...frame, link }]).pdus
    const isSure = one !== undefined && !/^(?:data_sm|enquire_link|unbind|generic_nack|unknown)/.test(one.pdu.command)
    if (!one || !isSure) continue
    sides.set(`${link} ${sender}`, one.from)
    const [a, b] = (link.split('#')[0] as string).split(/-(?=\[|\d)/)
    sides.set(`${link} ${sender === a ? b : a}`, one.from === 'smsc' ? 'esme' : 'smsc')
  }
  return sides
}

function fromLog(text: string): Capture {
  if (isKannelLog(text)) return fromKannel(text)
  const { frames, bad } = readHexLog(text)
  const { pdus, broken } = capturedFrames(frames)
  const remarks = [
    bad.length > 0 ? `lines ${bad.slice(0, 5).join(', ')}${bad.length > 5 ? ' …' : ''} have no whole PDU` : '',
    broken > 0 ? `${broken} PDUs cannot be read` : '',
  ]
  return { pdus, remarks: remarks.filter((it) => it !== '') }
}

function fromKannel(text: string): Capture {
  const { frames, unnamed, broken } = readKannelLog(text)
  const { pdus, broken: unread } = capturedFrames(frames)
  const remarks = [
    unnamed.length > 0 ? `${unnamed.join(', ')}: this log lacks the tags of these parameters; a capture has them` : '',
    broken + unread > 0 ? `${broken + unread} PDUs cannot be read` : '',
  ]
  return { pdus, remarks: remarks.filter((it) => it !== '') }
}
