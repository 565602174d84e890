/** The Comviva envelope: `type|parameter:base64|parameter:base64`. It is ASCII, whatever data_coding says. */

export interface Envelope {
  type: string
  /** Parameter number (decimal digits) → value, in the order of the message. */
  params: Map<string, string>
}

/** Further parameters are ignored. */
const PARAMS_MAX = 32

/** Null if the text is not an envelope. A value that is not Base64 is kept as it stands. */
export function readEnvelope(text: string): Envelope | null {
  const [type = '', ...rest] = text.split('|', PARAMS_MAX + 1)
  if (!/^\d{1,3}$/.test(type) || rest.length === 0) return null
  const params = new Map<string, string>()
  for (const part of rest) {
    const colon = part.indexOf(':')
    if (colon <= 0) continue
    const value = part.slice(colon + 1)
    params.set(part.slice(0, colon), isBase64(value) ? Buffer.from(value, 'base64').toString('utf8') : value)
  }
  return params.size > 0 ? { type, params } : null
}

export function writeEnvelope(envelope: Envelope): Buffer {
  const parts = [...envelope.params].map(([name, value]) => `${name}:${Buffer.from(value, 'utf8').toString('base64')}`)
  return Buffer.from([envelope.type, ...parts].join('|'), 'latin1')
}

function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}
