/** Files that hold secrets: read whole, and only where nobody else can read them. */
import { readFileSync, statSync } from 'node:fs'

/** systemd and Docker mount secrets with modes of their own (an ACL, 0444) into folders that only we can enter. */
const MANAGED = /^\/run\/(secrets|credentials)\//

export type SecretFile = { text: string } | { fault: string; remedy?: string }

/** The text of a secret's file, or what is wrong with the file. */
export function readSecretFile(file: string): SecretFile {
  try {
    const isOpen = !MANAGED.test(file) && (statSync(file).mode & 0o077) !== 0
    if (isOpen) return { fault: `other users can read ${file}`, remedy: `chmod 600 ${file}` }
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { fault: `${file} cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}
