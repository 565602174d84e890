/**
 * How long a connection waits for an answer of the server. pg can do that itself (`query_timeout`), with a timer for
 * each statement; but then more than half of all rows and parameters outlive a young collection and are copied by it.
 * (docs/WHY.md, "What outlives a young collection") So a connection has one timer, which looks at the oldest statement.
 */
import { monotonicClock } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Connection } from './sql.ts'

type Answered = Parameters<Connection['query']>[1]
type Query = (config: Parameters<Connection['query']>[0], answered: Answered) => void

interface Asked {
  /** Undefined: it is answered. */
  answered: Answered | undefined
  /** Since it was sent, or, where others were sent before it, since the last of them was answered. */
  sinceMs: number
}

/** What a statement ends with whose server is silent. */
export class SilentServer extends Error {
  constructor() {
    super('Query read timeout')
  }
}

/** `query`, whose callers get a SilentServer after `limitMs`; an answer after that is ignored. */
export function withinLimit(query: Query, limitMs: number, clock: Clock): Query {
  const now = monotonicClock(clock)
  const open: Asked[] = []
  let isWatching = false

  function watch(ms: number): void {
    isWatching = true
    clock.after(ms, look)
  }

  function look(): void {
    isWatching = false
    const nowMs = now()
    while (open.length > 0 && nowMs - open[0]!.sinceMs >= limitMs) end(open[0]!, new SilentServer())
    if (open.length > 0) watch(open[0]!.sinceMs + limitMs - nowMs)
  }

  function end(asked: Asked, ...outcome: [SilentServer] | Parameters<Answered>): void {
    const { answered } = asked
    if (!answered) return
    asked.answered = undefined
    open.splice(open.indexOf(asked), 1)
    answered(...(outcome as Parameters<Answered>))
  }

  return (config, answered) => {
    const asked: Asked = { answered, sinceMs: now() }
    open.push(asked)
    if (!isWatching) watch(limitMs)
    query(config, (error, answer) => {
      const isInTime = asked.answered !== undefined
      end(asked, error, answer)
      // The server was busy with this one, and not silent.
      if (isInTime && open.length > 0) open[0]!.sinceMs = now()
    })
  }
}
