/** What happens in the simulator, as server-sent events for its pages. */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Phone } from '../phone/index.ts'
import { type Smsc, describePdu, type Traced } from '../smsc/index.ts'

/** How many events may wait for one page. Above it, PDUs are dropped, and each phone has only its latest state. */
const WAITING_MAX = 200
/** How many PDUs a page gets when it opens. */
const TRACE_SHOWN = 60
/** How many pages may be open at once. */
const PAGES_MAX = 50

export interface EventStream {
  serve(c: Context): Response | Promise<Response>
  faultsChanged(): void
  stop(): void
}

type Written = () => { event: string; data: string }

/** `talks`: whether dialogues are available as talks. */
export function eventStream(smsc: Smsc, viewOf: (phone: Phone) => unknown, talks: boolean): EventStream {
  const pages = new Set<{ put(key: string | null, write: Written): void; end(): void }>()
  const all = (key: string | null, write: Written): void => {
    for (const page of pages) page.put(key, write)
  }
  const shown = (traced: Traced): object => {
    const { octets, ...rest } = traced
    return { ...rest, ...describePdu(octets) }
  }
  const named =
    (event: string, make: () => unknown): Written =>
    () => ({ event, data: JSON.stringify(make()) })
  const unwatch = smsc.watch((event) => {
    if (!pages.size) return
    if (event.is === 'bind') all('binds', named('binds', smsc.binds))
    else if (event.is === 'fault') all('faults', named('faults', smsc.chaos.list))
    else if (event.is === 'pdu')
      all(
        null,
        named('pdu', () => shown(event.traced)),
      )
    else
      all(
        event.msisdn,
        named('phone', () => viewOf(smsc.phone(event.msisdn))),
      )
  })
  const hello = named('hello', () => ({
    binds: smsc.binds(),
    dialect: smsc.coding.name,
    faults: smsc.chaos.list(),
    talks,
    trace: smsc.trace().slice(-TRACE_SHOWN).map(shown),
  }))

  return {
    faultsChanged: () => all('faults', named('faults', smsc.chaos.list)),
    stop() {
      unwatch()
      for (const page of pages) page.end()
    },
    serve(c) {
      if (pages.size >= PAGES_MAX) return c.json({ error: 'too many pages are open' }, 503)
      return streamSSE(c, async (stream) => {
        const page = queue()
        pages.add(page)
        stream.onAbort(() => page.end())
        page.put(null, hello)
        for (let write = await page.next(); write; write = await page.next()) await stream.writeSSE(write())
        pages.delete(page)
      })
    },
  }
}

/** Bounded. A keyed event replaces an older waiting event with the same key. */
function queue(): { put(key: string | null, write: Written): void; next(): Promise<Written | null>; end(): void } {
  const waiting: { key: string | null; write: Written }[] = []
  let wake: (() => void) | undefined
  let isEnded = false
  return {
    put(key, write) {
      const older = key === null ? undefined : waiting.find((one) => one.key === key)
      if (older) older.write = write
      else if (waiting.length < WAITING_MAX || key !== null) waiting.push({ key, write })
      wake?.()
    },
    async next() {
      for (;;) {
        if (isEnded) return null
        const first = waiting.shift()
        if (first) return first.write
        await new Promise<void>((done) => (wake = done))
      }
    },
    end() {
      isEnded = true
      wake?.()
    },
  }
}
