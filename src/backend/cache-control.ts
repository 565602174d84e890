/**
 * What a back end says about caching its answer. It can only shorten the times in the settings. (RFC 9111 §5.2.2, RFC
 * 5861 §4)
 */

export interface KeepDirective {
  /** How long it is fresh at most. 0: never. */
  maxAgeMs?: number
  /** After that, how long it may replace a failed answer at most. */
  staleIfErrorMs?: number
  /** It is for this subscriber only. */
  isPrivate?: true
}

const NEVER: KeepDirective = { maxAgeMs: 0, staleIfErrorMs: 0 }

/** Undefined if the two headers say nothing about it. */
export function readCacheControl(control: string, age = ''): KeepDirective | undefined {
  const said = directives(control)
  if (said.size === 0) return undefined
  if (said.has('no-store') || said.has('no-cache')) return NEVER
  const maxAge = said.get('max-age')
  const stale = said.has('must-revalidate') || said.has('proxy-revalidate') ? '0' : said.get('stale-if-error')
  return {
    // The answer may have been in other caches for as long as Age says.
    ...(maxAge === undefined ? {} : { maxAgeMs: Math.max(0, seconds(maxAge) - seconds(age)) * 1000 }),
    ...(stale === undefined ? {} : { staleIfErrorMs: seconds(stale) * 1000 }),
    ...(said.has('private') ? { isPrivate: true } : {}),
  }
}

function directives(control: string): Map<string, string> {
  // Field names in quotes may hold commas; nothing here needs them.
  const parts = control.replace(/"([^"]*)"/g, (_all, quoted: string) => quoted.replaceAll(',', ' ')).split(',')
  return new Map(
    parts
      .map((part): [string, string] => {
        const [name = '', value = ''] = part.split('=', 2)
        return [name.trim().toLowerCase(), value.trim()]
      })
      .filter(([name]) => name !== ''),
  )
}

/** A value that is not a number of seconds counts as 0: an answer of unknown age counts as old. (RFC 9111 §4.2.1) */
function seconds(written: string): number {
  return /^\d{1,9}$/.test(written) ? Number(written) : 0
}
