/**
 * Short statements share connections: one is sent while those before it on its connection are still unanswered
 * (pipelining, which `pg` does itself). Many dialogues ask at the same moment, and each write to a socket, and each
 * time that the server wakes up, costs more than a look-up. (docs/WHY.md, "Short statements share a connection")
 */
import type { Connection } from './sql.ts'

/** How many statements a connection has at the same time. The last of them waits for the answers of the others. */
const UNDER_WAY_MAX = 8
/**
 * How long a connection takes more of them, from the first one on. Then it goes back to the pool, or others would wait
 * for it without end; and a slow statement holds up only those that were sent within this time.
 */
const JOIN_MS = 10

interface Shared {
  connection: Promise<Connection>
  sinceMs: number
  underWay: number
}

export interface ConnectionSource {
  acquire(): Promise<Connection>
  release(connection: Connection): void
  nowMs(): number
}

/** Runs `ask` on a connection that others may be using for the same. */
export type Sharing = <T>(ask: (connection: Connection) => Promise<T>) => Promise<T>

export function sharedConnections({ acquire, release, nowMs }: ConnectionSource): Sharing {
  let newest: Shared | undefined

  function begin(sinceMs: number): Shared {
    const connection = acquire().then((acquired) => {
      acquired.pipeline = true
      return acquired
    })
    return { connection, sinceMs, underWay: 0 }
  }

  function joined(): Shared {
    const now = nowMs()
    const mayJoin = newest && newest.underWay < UNDER_WAY_MAX && now - newest.sinceMs < JOIN_MS
    if (!mayJoin) newest = begin(now)
    newest!.underWay++
    return newest!
  }

  function leave(shared: Shared, connection: Connection | undefined): void {
    if (--shared.underWay > 0) return
    if (newest === shared) newest = undefined
    if (!connection) return
    // COPY, for one, is refused while it is set.
    connection.pipeline = false
    release(connection)
  }

  return async (ask) => {
    const shared = joined()
    let connection: Connection | undefined
    try {
      connection = await shared.connection
      return await ask(connection)
    } finally {
      leave(shared, connection)
    }
  }
}
