/** How long those who call our HTTP servers may take. */
import type { ServerOptions } from 'node:http'

export type HttpTimes = Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>

const HEADERS_MS = 5_000
const REQUEST_MS = 10_000
/** Node looks for those who are over their time every 30 s by itself: then a limit of 5 s is one of 35. */
const LOOK_MS = 1_000

/** For createServer: the request's head, and the whole of it, must be here by then. */
export function httpTimes(headersMs = HEADERS_MS): HttpTimes {
  return {
    headersTimeout: headersMs,
    requestTimeout: Math.max(headersMs, REQUEST_MS),
    connectionsCheckingInterval: Math.min(headersMs, LOOK_MS),
  }
}
