/** How long callers of our HTTP servers may take. */
import type { ServerOptions } from 'node:http'

export type HttpTimes = Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>

const HEADERS_MS = 5_000
const REQUEST_MS = 10_000
/** By default Node checks for overdue connections every 30 s; a limit of 5 s would then mean 35 s. */
const LOOK_MS = 1_000

/** For createServer: the time limits for the head of a request and for the whole request. */
export function httpTimes(headersMs = HEADERS_MS): HttpTimes {
  return {
    headersTimeout: headersMs,
    requestTimeout: Math.max(headersMs, REQUEST_MS),
    connectionsCheckingInterval: Math.min(headersMs, LOOK_MS),
  }
}
