/**
 * Who may use the HTTP ingress, and for what: bearer tokens and shared keys, one for each caller, compared in constant
 * time. A right one is let in at any time: nobody can lock a caller out with wrong ones.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { callerOf, createLockout, createRates, networksOf, type SignedRequest } from '../base/index.ts'
import { routeCode, type CodeRoute } from '../ussd/index.ts'
import type { IngressMessage } from './contracts.ts'
import { createSignatureCheck, type SignatureCheck } from './signature.ts'

export interface CallerSettings {
  name: string
  token?: string | undefined
  /** The shared key with which it signs. */
  key?: string | undefined
  /** Codes of the services that it may open. Absent: all. */
  services?: readonly string[] | undefined
  /** The first digits of the numbers that it may serve. Empty: all. */
  msisdn: readonly string[]
  /** Where it may call from. Empty: from anywhere. */
  addresses: readonly string[]
  perSecond?: number | undefined
  /** Its dialogues are its own: another caller cannot go on with them. */
  isolated: boolean
}

export interface IngressCaller {
  readonly name: string
  /** Present: it has to sign. */
  readonly signs: SignatureCheck | undefined
}

/** Why a request is refused: words of the metric `door_turned_away_total`. */
export type TurnedAwayWhy =
  | 'nobody'
  | 'wrong'
  | 'locked'
  | 'unsigned'
  | 'signature'
  | 'stale'
  | 'replay'
  | 'address'
  | 'msisdn'
  | 'service'
  | 'rate'

export interface IngressRefusal {
  why: TurnedAwayWhy
  /** Whose token or key was used, or claimed. */
  who?: string
  /** The first of many: a lock-out begins. */
  locks?: boolean
}

export interface IngressAccess {
  /** These callers from now on. What is remembered of one that is the same stays. */
  follow(callers: readonly CallerSettings[]): void
  /** By its head, who sends a request. */
  identify(headers: IncomingHttpHeaders, address: string, nowMs: number): IngressCaller | IngressRefusal
  /** By its body, whether it is signed as it must be, and not too much. */
  admit(caller: IngressCaller, request: Omit<SignedRequest, 'timestamp' | 'input'>, from: From): IngressRefusal | null
  /** The message as the gateway gets it, if the caller may send it. */
  allowed(caller: IngressCaller, message: IngressMessage): IngressMessage | IngressRefusal
}

interface From {
  headers: IncomingHttpHeaders
  address: string
  nowMs: number
}

interface KnownCaller extends IngressCaller {
  settings: CallerSettings
  token: Buffer | undefined
  isFrom(address: string): boolean
  inRate(nowMs: number): boolean
}

export interface IngressAccessDeps {
  callers: readonly CallerSettings[]
  /** Those of the settings, and the name of the door as a line. */
  services: readonly CodeRoute[]
  line: string
}

const digest = (text: string) => createHash('sha256').update(text).digest()

export function createIngressAccess({ callers, services, line }: IngressAccessDeps): IngressAccess {
  let known = callers.map(readCaller)
  const lockout = createLockout()
  const failed = (why: TurnedAwayWhy, { address, nowMs }: Pick<From, 'address' | 'nowMs'>, who?: string) => {
    const whose = who === undefined ? {} : { who }
    const failure = lockout.fail(`${who ?? ''} ${callerOf(address)}`, nowMs)
    return failure === 'told' ? { why, ...whose } : { why: 'locked' as const, ...whose, locks: failure === 'locks' }
  }
  return {
    follow(next) {
      const before = new Map(known.map((one) => [JSON.stringify(one.settings), one]))
      known = next.map((settings) => before.get(JSON.stringify(settings)) ?? readCaller(settings))
    },
    identify(headers, address, nowMs) {
      const { authorization } = headers
      const claimed = textOf(headers['x-ussd-key'])
      if (authorization === undefined && claimed === undefined) return { why: 'nobody' }
      const caller =
        authorization === undefined
          ? known.find((one) => one.name === claimed && one.token === undefined)
          : byToken(known, authorization)
      if (!caller) return failed('wrong', { address, nowMs })
      return caller.isFrom(address) ? caller : { why: 'address', who: caller.name }
    },
    admit(caller, request, from) {
      const { headers, nowMs } = from
      if (caller.signs) {
        const [timestamp, signature] = [textOf(headers['x-ussd-timestamp']), textOf(headers['x-ussd-signature'])]
        if (timestamp === undefined || signature === undefined) return failed('unsigned', from, caller.name)
        const signed = { ...request, timestamp, input: textOf(headers['x-ussd-input']) }
        const verdict = caller.signs.check(signed, signature, nowMs)
        if (verdict === 'signature') return failed('signature', from, caller.name)
        if (verdict !== 'good') return { why: verdict, who: caller.name }
      }
      return (caller as KnownCaller).inRate(nowMs) ? null : { why: 'rate', who: caller.name }
    },
    allowed(caller, message) {
      const { settings, name } = caller as KnownCaller
      const { kind, msisdn, code } = message
      if (settings.msisdn.length > 0 && !settings.msisdn.some((prefix) => msisdn.startsWith(prefix)))
        return { why: 'msisdn', who: name }
      const own = settings.isolated ? { ...message, session: `${name}/${message.session}` } : message
      if (!settings.services) return own
      const service = routeCode(services, code, line)?.route.code
      const isOpen = service === undefined || settings.services.includes(service)
      // The gateway answers a begin that no service has.
      if (kind === 'begin') return isOpen ? own : { why: 'service', who: name }
      // What was typed may look like the code of another service. If its dialogue is unknown, the gateway begins one.
      return isOpen && code !== '' ? own : { ...own, code: settings.services[0]! }
    },
  }
}

function readCaller(settings: CallerSettings): KnownCaller {
  const { name, token, key, perSecond } = settings
  const isIn = networksOf(settings.addresses)
  const rates = perSecond && createRates({ perSecond, burst: Math.max(1, Math.ceil(perSecond)), keysMax: 1 })
  return {
    name,
    settings,
    signs: key === undefined ? undefined : createSignatureCheck(key),
    token: token === undefined ? undefined : digest(`Bearer ${token}`),
    isFrom: (address) => settings.addresses.length === 0 || isIn(address),
    inRate: (nowMs) => !rates || rates.take('', nowMs),
  }
}

/** Compares with all tokens: the time must not show which one fits. */
function byToken(known: readonly KnownCaller[], authorization: string): KnownCaller | undefined {
  const given = digest(authorization)
  const [found] = known.filter(({ token }) => token !== undefined && timingSafeEqual(token, given))
  return found
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}
