/**
 * The control HTTP of the simulator, on loopback or with a token: the web phone, a JSON API, and a stream of events.
 */
import type { Hono } from 'hono'
import type { Smsc } from '../smsc/index.ts'
import { eventStream } from './events.ts'
import { type PageServer, startPageServer } from './page-server.ts'
import { pages } from './pages.ts'
import { phoneRoutes, type TalkOf } from './phone-routes.ts'
import { viewer } from './phone-view.ts'
import { smscRoutes } from './smsc-routes.ts'

export interface ControlOptions {
  smsc: Smsc
  /** Default: 127.0.0.1 and 0, a free port. */
  host?: string
  port?: number
  /** Names that a browser may use besides localhost and the address. They prevent DNS rebinding. */
  allowedHosts?: string[]
  /** Every page and program must have it. Default: none on loopback, otherwise one is created. */
  token?: string
  /**
   * What a phone played last, as a talk file. Undefined: nothing. Absent if the answers of back ends are not visible.
   */
  talkOf?: TalkOf
  /** More pages, behind the same guard; they may show these ones within them. */
  more?: ((app: Hono, smsc: Smsc) => void) | undefined
}

export type Control = PageServer

export async function startControl(options: ControlOptions): Promise<Control> {
  const { smsc, talkOf, more, ...where } = options
  const viewOf = viewer()
  const stream = eventStream(smsc, viewOf, talkOf !== undefined)
  const server = await startPageServer({
    ...where,
    routes(app) {
      pages(app, more ? "'self'" : "'none'")
      phoneRoutes(app, { smsc, viewOf, talkOf })
      smscRoutes(app, smsc, stream.faultsChanged)
      app.get('/api/events', stream.serve)
      more?.(app, smsc)
    },
  }).catch((error: unknown) => {
    stream.stop()
    throw error
  })
  return {
    ...server,
    stop() {
      stream.stop()
      return server.stop()
    },
  }
}
