/**
 * Parts of open pages, made again while somebody looks: from one sample a second, made once for all who see the same. A
 * page gets only parts that differ from what it has. A slow page misses some; nothing waits for it in memory.
 */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Clock } from '../ussd/index.ts'
import type { Framed, Markup } from './pages/index.ts'
import { verdict } from './pages/index.ts'
import { LOOK_EACH_MS, type Sample, type Sampler } from './sample.ts'
import type { Entered, WayIn } from './way-in.ts'

export type Parts = Record<string, Markup>

export type LiveNow = Framed & { sample: Sample }

export interface LiveFor {
  wayIn: WayIn
  framed: Framed
  /** Pages of one name that are seen in one language, with the same roles, have the same parts. */
  name: string
}

export interface Live {
  serve(c: Context<Entered>, asked: LiveFor, make: (now: LiveNow) => Parts): Response | Promise<Response>
  stop(): void
}

/** Pages open at once, each with a connection: below what the admin server takes in all. */
const PAGES_MAX = 100
/** A proxy that closes silent connections is told by this that the page is alive. */
const PING_EACH_MS = 15_000

type Made = { atMs: number; parts: Promise<[name: string, text: string][]> }

export function createLive({ sampler, clock }: { sampler: Sampler; clock: Clock }): Live {
  const made = new Map<string, Made>()
  const waiting = new Set<() => void>()
  let pages = 0
  let isStopped = false

  function tick(): Promise<void> {
    return new Promise((done) => {
      const go = () => (cancel(), waiting.delete(go), done())
      const cancel = clock.after(LOOK_EACH_MS, go)
      waiting.add(go)
    })
  }

  async function partsOf({ framed, name }: LiveFor, make: (now: LiveNow) => Parts) {
    const sample = await sampler.now()
    const key = `${name} ${framed.words.language} ${framed.visitor.roles.join()}`
    const known = made.get(key)
    if (known?.atMs === sample.atMs) return known.parts
    const now = { ...framed, nowMs: sample.atMs, sample }
    const all = { verdict: verdict(now, sample.instances), ...make(now) }
    const texts = Object.entries(all).map(async ([part, markup]): Promise<[string, string]> => [
      part,
      String(await markup),
    ])
    const one = { atMs: sample.atMs, parts: Promise.all(texts) }
    made.set(key, one)
    return one.parts
  }

  return {
    serve(c, asked, make) {
      if (pages >= PAGES_MAX) return c.text('too many pages of the desk are open', 503)
      return streamSSE(c, async (stream) => {
        pages++
        let isOpen = true
        stream.onAbort(() => void (isOpen = false))
        try {
          const has = new Map<string, string>()
          for (let saidMs = clock.now(); ; await tick()) {
            if (!isOpen || isStopped) return
            if (!asked.wayIn.visitorOf(c)) return await stream.writeSSE({ event: 'left', data: '' })
            const fresh = (await partsOf(asked, make)).filter(([part, text]) => has.get(part) !== text)
            for (const [part, text] of fresh) has.set(part, text)
            if (fresh.length === 0 && clock.now() - saidMs < PING_EACH_MS) continue
            saidMs = clock.now()
            await stream.writeSSE({ event: 'parts', data: JSON.stringify(Object.fromEntries(fresh)) })
          }
        } finally {
          if (--pages === 0) made.clear()
        }
      })
    },
    stop() {
      isStopped = true
      for (const go of waiting) go()
    },
  }
}
