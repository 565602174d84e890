/** What happens in the simulator, as server-sent events for its pages. */
import type { Context } from 'hono'
import type { Phone } from '../phone/index.ts'
import { type Smsc, describePdu, type Traced } from '../smsc/index.ts'
import { pageEvent, pageStream } from './page-stream.ts'

/** How many PDUs a page gets when it opens. */
const TRACE_SHOWN = 60

export interface EventStream {
  serve(c: Context): Response | Promise<Response>
  faultsChanged(): void
  stop(): void
}

/** `talks`: whether dialogues are available as talks. */
export function eventStream(smsc: Smsc, viewOf: (phone: Phone) => unknown, talks: boolean): EventStream {
  const stream = pageStream()
  const shown = (traced: Traced): object => {
    const { octets, ...rest } = traced
    return { ...rest, ...describePdu(octets) }
  }
  const unwatch = smsc.watch((event) => {
    if (!stream.isWatched) return
    if (event.is === 'bind') stream.put('binds', pageEvent('binds', smsc.binds))
    else if (event.is === 'fault') stream.put('faults', pageEvent('faults', smsc.chaos.list))
    else if (event.is === 'pdu') {
      stream.put(
        null,
        pageEvent('pdu', () => shown(event.traced)),
      )
    } else
      stream.put(
        event.msisdn,
        pageEvent('phone', () => viewOf(smsc.phone(event.msisdn))),
      )
  })
  const hello = pageEvent('hello', () => ({
    binds: smsc.binds(),
    dialect: smsc.coding.name,
    faults: smsc.chaos.list(),
    talks,
    trace: smsc.trace().slice(-TRACE_SHOWN).map(shown),
  }))

  return {
    faultsChanged: () => stream.put('faults', pageEvent('faults', smsc.chaos.list)),
    stop() {
      unwatch()
      stream.stop()
    },
    serve: (c) => stream.serve(c, hello),
  }
}
