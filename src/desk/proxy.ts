/**
 * Single sign-on: a proxy of ours says in headers who it let in. Only from listed addresses, and with the secret of the
 * proxy if there is one; from anybody else the same headers mean nothing.
 */
import { addressBehind, networksOf, secretIn } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import { isSame } from './session.ts'
import type { DeskRole } from './visitor.ts'

type ProxySettings = NonNullable<Settings['admin']['trustedProxy']>

/** What is read of a request. */
export interface FromProxy {
  /** Of the socket. */
  peer: string
  head(name: string): string | undefined
}

export interface TrustedProxy {
  /** The caller, behind the proxy. */
  addressOf(request: FromProxy): string
  /** Whether the browser speaks TLS with the proxy. */
  isSecure(request: FromProxy): boolean
  /** Undefined: this request does not come from the proxy, or the proxy names nobody. */
  userOf(request: FromProxy): { name: string; roles: DeskRole[] } | undefined
  readonly signOutUrl: string | undefined
}

/** Another one at each reload. */
export interface FollowedProxy extends TrustedProxy {
  /** Reads its secret again. Nothing changes before `commit`. Throws if the secret cannot be read. */
  prepare(next: { admin: { trustedProxy?: ProxySettings | undefined } }): ProxyChange
}

export interface ProxyChange {
  /** The setting, if only the content of its file is another one. */
  changed: readonly string[]
  commit(): void
}

/** In which the proxy sends its secret. */
const SECRET_HEADER = 'x-proxy-secret'
const NAME = /^[\w.@+-]{1,64}$/

export function trustedProxy(settings: ProxySettings | undefined): FollowedProxy {
  let secret = secretOf(settings)
  let proxy = proxyWith(settings, secret)
  return {
    addressOf: (request) => proxy.addressOf(request),
    isSecure: (request) => proxy.isSecure(request),
    userOf: (request) => proxy.userOf(request),
    get signOutUrl() {
      return proxy.signOutUrl
    },
    prepare({ admin: { trustedProxy: next } }) {
      const fresh = secretOf(next)
      return {
        changed: fresh === secret ? [] : ['admin.trustedProxy'],
        commit() {
          secret = fresh
          proxy = proxyWith(next, fresh)
        },
      }
    },
  }
}

function secretOf(settings: ProxySettings | undefined): string | undefined {
  return settings?.secretFile === undefined ? undefined : secretIn(settings.secretFile, 'admin.trustedProxy')
}

function proxyWith(settings: ProxySettings | undefined, secret: string | undefined): TrustedProxy {
  const isListed = networksOf(settings?.addresses ?? [])
  const isProxy = ({ peer, head }: FromProxy) =>
    isListed(peer) && (secret === undefined || isSame(head(SECRET_HEADER) ?? '', secret))
  return {
    addressOf: (request) =>
      isProxy(request) ? addressBehind(request.peer, request.head('x-forwarded-for'), isListed) : request.peer,
    isSecure: (request) => isProxy(request) && request.head('x-forwarded-proto') === 'https',
    userOf(request) {
      if (!settings || !isProxy(request)) return undefined
      const name = request.head(settings.userHeader)?.trim() ?? ''
      if (!NAME.test(name)) return undefined
      const groups = (request.head(settings.groupsHeader) ?? '').split(/[,;|]/).map((group) => group.trim())
      const roles = groups.flatMap((group) => (Object.hasOwn(settings.roles, group) ? settings.roles[group]! : []))
      return { name, roles: [...new Set(roles)] }
    },
    signOutUrl: settings?.signOutUrl,
  }
}
