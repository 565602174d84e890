/**
 * Who may use one of our HTTP servers without a token: programs of this machine. A request that a browser sends for a
 * foreign page is excluded, although it comes from this machine.
 */
import type { IncomingMessage } from 'node:http'
import { isLoopbackAddress } from './addresses.ts'

/** What is checked of a request. */
export interface HttpCaller {
  method: string
  /** Where it comes from. */
  address: string
  /** A header, by its lower-case name. */
  head(name: string): string | undefined
}

export function askedOf(request: IncomingMessage): HttpCaller {
  return {
    method: request.method ?? '',
    address: request.socket.remoteAddress ?? '',
    head: (name) => request.headers[name]?.toString(),
  }
}

/**
 * The names of this machine for itself. A request with another name came through a proxy, or from a page whose name was
 * made to lead here (DNS rebinding).
 */
const LOCAL_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'via']

/** Why the request does not come from a program of this machine. Undefined: it does. */
export function notFromHere(asked: HttpCaller): string | undefined {
  if (!isLoopbackAddress(asked.address)) return 'the request comes from another machine'
  if (!LOCAL_NAME.test(asked.head('host') ?? '')) return 'the Host header is not localhost or 127.0.0.1'
  if (FORWARDED.some((name) => asked.head(name))) return 'the request comes through a proxy'
  return fromForeignPage(asked) ? FOREIGN_PAGE : undefined
}

export const FOREIGN_PAGE = 'the request comes from a page in a browser'

/**
 * Whether a browser sends the request for a page that is not ours. The browser says so in `Origin`, which comes with
 * each POST, and in `Sec-Fetch-Site`. A plain link to us does not count: it changes nothing, and the other page cannot
 * read the answer.
 *
 * `own`: the origin of our pages, if we have some.
 */
export function fromForeignPage({ method, head }: Pick<HttpCaller, 'method' | 'head'>, own?: string): boolean {
  const [origin, site] = [head('origin'), head('sec-fetch-site')]
  if (origin !== undefined && origin !== own) return true
  if (site === undefined || site === 'none' || method === 'GET' || method === 'HEAD') return false
  return site !== 'same-origin' || own === undefined
}
