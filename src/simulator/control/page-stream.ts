/** Server-sent events for open pages: bounded in pages, and in what waits for each of them. */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'

/** How many events may wait for one page. Above it, events without a key are dropped. */
const WAITING_MAX = 200
/** How many pages may be open at once. */
const PAGES_MAX = 50

/** Made when it is written: a page that is slow gets the latest state only. */
export type PageEvent = () => { event: string; data: string }

export interface PageStream {
  readonly isWatched: boolean
  /** To every page. A keyed event replaces an older waiting event with the same key. */
  put(key: string | null, write: PageEvent): void
  /** Answers a page: first `hello`, then all that is put, until it closes. */
  serve(c: Context, hello: PageEvent): Response | Promise<Response>
  stop(): void
}

export function pageStream(): PageStream {
  const pages = new Set<ReturnType<typeof queue>>()
  return {
    get isWatched() {
      return pages.size > 0
    },
    put(key, write) {
      for (const page of pages) page.put(key, write)
    },
    stop() {
      for (const page of pages) page.end()
    },
    serve(c, hello) {
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

export const pageEvent =
  (event: string, make: () => unknown): PageEvent =>
  () => ({ event, data: JSON.stringify(make()) })

/** Bounded. */
function queue(): { put(key: string | null, write: PageEvent): void; next(): Promise<PageEvent | null>; end(): void } {
  const waiting: { key: string | null; write: PageEvent }[] = []
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
