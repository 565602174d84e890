/** What a back end says about caching its answer; it can only shorten the settings. (RFC 9111 §5.2.2, RFC 5861 §4) */

export interface KeepDirective {
  /** It is fresh this long at most; 0: never. */
  maxAgeMs?: number
  /** After that, it may replace a failed answer this long at most. */
  staleIfErrorMs?: number
  /** It is for this subscriber only. */
  isPrivate?: true
}

const NEVER: KeepDirective = { maxAgeMs: 0, staleIfErrorMs: 0 }

/** Undefined where the two headers say nothing of it. */
export function readCacheControl(control: string, age = ''): KeepDirective | undefined {
  const said = directives(control)
  if (said.size === 0) return undefined
  if (said.has('no-store') || said.has('no-cache')) return NEVER
  const maxAge = said.get('max-age')
  const stale = said.has('must-revalidate') || said.has('proxy-revalidate') ? '0' : said.get('stale-if-error')
  return {
    // An answer may have been under way in other caches for as long as Age says.
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

/** If it is not a number of seconds, it is 0: an answer of unknown age counts as old. (RFC 9111 §4.2.1) */
function seconds(written: string): number {
  return /^\d{1,9}$/.test(written) ? Number(written) : 0
}
