/** When certificates end: those in files of the settings, and those that servers showed us. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A setting, such as `lines.digicel.smsc.tls.cert`, and the file that it names. */
export interface CertificateFile {
  setting: string
  file: string
}

export interface Certificates {
  /** A server showed this one. `validTo`: as Node gives it. */
  saw(peer: string, validTo: string | undefined): void
  /** The first end of each, wall clock, by setting or peer. Files are read again at most once an hour. */
  ends(): ReadonlyMap<string, number>
}

const READ_EACH_MS = 3_600_000
/** Peers are addresses of the settings, so this is only a guard. */
const PEERS_MAX = 1_000
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

export function createCertificates(files: () => readonly CertificateFile[], now: () => number): Certificates {
  const peers = new Map<string, number>()
  let read: Map<string, number> | undefined
  let readMs = 0

  return {
    saw(peer, validTo) {
      const endMs = Date.parse(validTo ?? '')
      if (Number.isNaN(endMs) || (peers.size >= PEERS_MAX && !peers.has(peer))) return
      peers.set(peer, endMs)
    },
    ends() {
      if (!read || Math.abs(now() - readMs) >= READ_EACH_MS) {
        readMs = now()
        read = new Map(files().flatMap(({ setting, file }) => firstEnd(file).map((endMs) => [setting, endMs] as const)))
      }
      return new Map([...read, ...peers])
    },
  }
}

/** Of all certificates of the file. Empty: there is none that can be read; the start says what is wrong with a file. */
function firstEnd(file: string): number[] {
  try {
    const ends = (readFileSync(file, 'utf8').match(PEM) ?? []).map((pem) =>
      Date.parse(new X509Certificate(pem).validTo),
    )
    return ends.length ? [Math.min(...ends)] : []
  } catch {
    return []
  }
}
