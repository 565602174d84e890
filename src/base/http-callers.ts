/**
 * Who may use an HTTP door of ours that asks for no token: programs of this machine. What a browser sends for somebody
 * else's page is not theirs, though it comes from this machine, too.
 */
import type { IncomingMessage } from 'node:http'
import { isLoopbackAddress } from './http-addresses.ts'

/** What is looked at of a request. */
export interface HttpCaller {
  method: string
  /** Where it comes from. */
  address: string
  /** A header, by its name in small letters. */
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
 * This machine calls itself by these; any other name came through a proxy, or is a page that had its name lead here
 * (DNS rebinding).
 */
const LOCAL_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'via']

/** Why it is no request of a program of this machine; undefined: it is one. */
export function notFromHere(asked: HttpCaller): string | undefined {
  if (!isLoopbackAddress(asked.address)) return 'the request comes from another machine'
  if (!LOCAL_NAME.test(asked.head('host') ?? '')) return 'the Host header is not localhost or 127.0.0.1'
  if (FORWARDED.some((name) => asked.head(name))) return 'the request comes through a proxy'
  return fromForeignPage(asked) ? FOREIGN_PAGE : undefined
}

export const FOREIGN_PAGE = 'the request comes from a page in a browser'

/**
 * Whether a browser asks for a page that is not ours: it says so in `Origin`, which comes with each POST, and in
 * `Sec-Fetch-Site`. A link that leads here is no such thing: it changes nothing, and the other page cannot read what it
 * brings.
 *
 * `own`: the origin of our pages, where we have some.
 */
export function fromForeignPage({ method, head }: Pick<HttpCaller, 'method' | 'head'>, own?: string): boolean {
  const [origin, site] = [head('origin'), head('sec-fetch-site')]
  if (origin !== undefined && origin !== own) return true
  if (site === undefined || site === 'none' || method === 'GET' || method === 'HEAD') return false
  return site !== 'same-origin' || own === undefined
}
