/**
 * Secrets and personal data of a campaign, and where they are looked for: in every coding that a dump might show them
 * in.
 */

export interface Canary {
  name: string
  value: string
  /** Few digits: they count only by themselves, for in a longer run of digits they occur by chance. */
  alone?: true
}

/** `where: name (coding)` for each canary that is in the octets. */
export function hits(where: string, octets: Buffer | string, canaries: readonly Canary[]): string[] {
  const text = Buffer.isBuffer(octets) ? octets.toString('latin1') : Buffer.from(octets).toString('latin1')
  const lower = text.toLowerCase()
  return canaries.flatMap(({ name, value, alone }) =>
    codings(value)
      .filter(([coding, form]) => {
        const searched = coding.startsWith('hex') ? lower : text
        return alone && form === value ? new RegExp(`(?<!\\d)${value}(?!\\d)`).test(searched) : searched.includes(form)
      })
      .map(([coding]) => `${where}: ${name} (${coding})`),
  )
}

function codings(value: string): [coding: string, form: string][] {
  const utf8 = Buffer.from(value)
  const ucs2 = Buffer.from(value, 'utf16le').swap16()
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), utf8])
      .toString('base64')
      .slice(before ? 4 : 0)
      .replace(/=+$/, '')
      .slice(0, -2),
  )
  const forms: [string, string][] = [
    ['plain', utf8.toString('latin1')],
    ['UCS-2', ucs2.toString('latin1')],
    ['hex', utf8.toString('hex')],
    ['hex of UCS-2', ucs2.toString('hex')],
    ['percent', encodeURIComponent(value)],
    ['JSON octets', [...utf8].join(',')],
    // Short pieces of base64 occur by chance.
    ...base64.filter((form) => form.length >= 8).map((form): [string, string] => ['base64', form]),
  ]
  if (/^\d{8,}$/.test(value)) forms.push(['hex of BCD', swapped(value)])
  return forms
}

/** Two digits an octet, the first in the low half. (3GPP TS 23.040 §9.1.2.3) */
function swapped(digits: string): string {
  return (digits.length % 2 ? `${digits}f` : digits).replace(/(.)(.)/g, '$2$1')
}
