/** Certificates of a test's own authorities, by openssl. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** PEM files. */
export interface Pair {
  cert: string
  key: string
}

export interface Wanted {
  /** Default 2; negative: it has ended. */
  days?: number
  /** Default: localhost and 127.0.0.1. */
  names?: string
}

export interface Authority extends Pair {
  issue(name: string, wanted?: Wanted): Pair
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function hasOpenssl(): boolean {
  try {
    openssl('version')
    return true
  } catch {
    return false
  }
}

export function authority(dir: string, name: string): Authority {
  const own = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  openssl('req', '-x509', ...EC, '-keyout', own.key, '-out', own.cert, '-days', '2', '-subj', `/CN=${name}`)
  return {
    ...own,
    issue(subject, { days = 2, names = 'DNS:localhost,IP:127.0.0.1' } = {}) {
      const [csr, pair] = [
        join(dir, `${subject}.csr`),
        { cert: join(dir, `${subject}.pem`), key: join(dir, `${subject}.key`) },
      ]
      openssl(
        'req',
        '-new',
        ...EC,
        '-keyout',
        pair.key,
        '-out',
        csr,
        '-subj',
        `/CN=${subject}`,
        '-addext',
        `subjectAltName=${names}`,
      )
      openssl(
        'x509',
        '-req',
        '-in',
        csr,
        '-CA',
        own.cert,
        '-CAkey',
        own.key,
        '-CAcreateserial',
        '-days',
        String(days),
        '-copy_extensions',
        'copy',
        '-out',
        pair.cert,
      )
      return pair
    },
  }
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'ignore' })
}
