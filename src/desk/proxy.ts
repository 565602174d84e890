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
  signOutUrl: string | undefined
}

/** In which the proxy sends its secret. */
const SECRET_HEADER = 'x-proxy-secret'
const NAME = /^[\w.@+-]{1,64}$/

export function trustedProxy(settings: ProxySettings | undefined): TrustedProxy {
  const isListed = networksOf(settings?.addresses ?? [])
  const secret = settings?.secretFile === undefined ? undefined : secretIn(settings.secretFile, 'admin.trustedProxy')
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
