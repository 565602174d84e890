/**
 * Files that hold secrets: passwords, tokens, keys. One rule for all of them: only their owner may read them. They are
 * read as a whole, up to a limit.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { UsageError } from './errors.ts'

/**
 * Where systemd and container runtimes mount secrets, with their own modes (an ACL, 0440, 0444). Only root can create
 * these folders, and only we can enter them. A file that belongs to root on a read-only mount proves less: with
 * `ProtectSystem=strict` that is true of every file.
 */
const MANAGED = /^\/run\/(secrets|credentials)\//

/** No password, token or key is larger. A settings file may be. */
export const SECRET_OCTETS_MAX = 65_536

export interface SecretFault {
  fault: string
  remedy?: string
}

/** The text of a secret's file, or what is wrong with the file. */
export function readSecretFile(file: string): { text: string } | SecretFault {
  const read = readSecretOctets(file)
  return 'octets' in read ? { text: read.octets.toString('utf8') } : read
}

/** The octets of a secret's file, or what is wrong with the file. */
export function readSecretOctets(file: string): { octets: Buffer } | SecretFault {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    const fault = openToOthers(file, fstatSync(fd).mode)
    if (fault) return fault
    const octets = Buffer.alloc(SECRET_OCTETS_MAX + 1)
    let length = 0
    for (let more = -1; more !== 0 && length < octets.length; length += more)
      more = readSync(fd, octets, length, octets.length - length, null)
    if (length > SECRET_OCTETS_MAX) return { fault: `${file} has more than ${SECRET_OCTETS_MAX} octets` }
    return { octets: octets.subarray(0, length) }
  } catch (error) {
    return { fault: `${file} cannot be read (${(error as NodeJS.ErrnoException).code})` }
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** The whole text of a secret's file without blanks around it. Throws UsageError; `place` is the setting or option. */
export function secretIn(file: string, place: string): string {
  const read = readSecretFile(file)
  if ('fault' in read) throw new UsageError(saidOfFault(read, place))
  const text = read.text.trim()
  if (text !== '') return text
  throw new UsageError(`${place}: ${file} is empty`)
}

/** A fault of a secret's file as one sentence. */
export function saidOfFault({ fault, remedy }: SecretFault, place: string): string {
  return `${place}: ${fault}${remedy === undefined ? '' : ` (${remedy})`}`
}

/** What is wrong with a file of this mode, if it holds a secret. */
export function openToOthers(
  file: string,
  mode: number,
  real: (file: string) => string = realpathSync,
): SecretFault | undefined {
  if ((mode & 0o077) === 0 || MANAGED.test(real(file))) return undefined
  const shown = (mode & 0o7777).toString(8).padStart(4, '0')
  return {
    fault: `other users can read ${file} (mode ${shown})`,
    remedy: `chmod 600 ${file}; in a container, mount it below /run/secrets`,
  }
}
