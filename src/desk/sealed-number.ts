/**
 * A number of a subscriber as part of an address, for a ticket: sealed with the key of the fleet, so that no log and no
 * ticket shows it. Who opens the address still needs the role `support`.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

const [IV, TAG] = [12, 16]
const NUMBER = /^[1-9]\d{4,14}$/

function keyOf(key: string): Buffer {
  return createHmac('sha256', key).update('number').digest()
}

export function sealedNumber(key: string, msisdn: string): string {
  const iv = randomBytes(IV)
  const cipher = createCipheriv('aes-256-gcm', keyOf(key), iv)
  const octets = [iv, cipher.update(msisdn, 'latin1'), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(octets).toString('base64url')
}

/** Undefined: it is not one of ours. */
export function openedNumber(key: string, sealed: string): string | undefined {
  const octets = Buffer.from(sealed.slice(0, 100), 'base64url')
  if (octets.length <= IV + TAG) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(key), octets.subarray(0, IV))
    decipher.setAuthTag(octets.subarray(octets.length - TAG))
    const text =
      decipher.update(octets.subarray(IV, octets.length - TAG), undefined, 'latin1') + decipher.final('latin1')
    return NUMBER.test(text) ? text : undefined
  } catch {
    return undefined
  }
}
