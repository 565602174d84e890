/** Why a bind is not up, in one word, and what a person can do about it. */
import { STATUS, statusText } from '../pdu/index.ts'
import { statusPolicy } from '../../ussd/index.ts'

export type Why = keyof typeof REMEDIES

export interface Trouble {
  why: Why
  /** As the system or the SMSC reported it: `ECONNREFUSED`, `0x0D ESME_RBINDFAIL`. */
  detail: string
}

const REMEDIES = {
  'connection-refused': 'nothing listens there: is the SMSC running, and are smsc.host and smsc.port right?',
  unreachable:
    'no route to it: check VPN, route and firewall; ask the operator whether the firewall allows our address; ' +
    'with smsc.tls, ask whether that port speaks TLS',
  unresolvable: 'smsc.host has no address: is the name right, and does DNS work on this machine?',
  silent:
    'it accepts the connection but does not answer: is this the SMPP port? If yes, the SMSC hangs: tell the operator',
  'connection-closed':
    'it closes the connection before it answers our bind: ask the operator whether our address may connect, and how many times; ' +
    'does it want TLS (smsc.tls)?',
  lost:
    'the connection of a working bind broke. If that happens often, check the network between us, ' +
    'and a firewall that drops idle connections (timers.enquireMs)',
  certificate:
    'we refuse its certificate: check smsc.tls.ca (who signed it), smsc.tls.servername (its name), and the clock here',
  tls: 'the port has no TLS 1.2 or later, or needs our certificate (smsc.tls.cert): ask the operator for the TLS port',
  'not-smpp': 'the answer is not SMPP: is smsc.port right, and does the port need TLS (smsc.tls)?',
  'wrong-password':
    'smsc.systemId or the password is wrong: correct it, then run ussd-connector reload. ' +
    'We try rarely, because SMSCs lock accounts',
  'bind-failed':
    'either the SMSC is starting or overloaded, which passes; ' +
    'or it refuses this account, our address or this kind of bind: ask the operator',
  'already-bound':
    'the account is in use: by another daemon of yours (this one takes over if it stops), ' +
    'by our own last connection (this passes), or by another program',
  throttled:
    'the SMSC takes no more binds, or no more requests, at the moment; we try again more and more rarely. ' +
    'If it stays, ask the operator how many binds and tries the account may have',
  'bind-refused':
    'the SMSC refuses the bind: ask the operator what the status means; ' +
    'often the settings bind, smsc.systemType or smsc.addressRange are wrong',
  unbound: 'the SMSC unbound us: it restarts, or the operator closed the account',
  uncodable: 'a setting of smsc does not fit into a bind request: correct the one named here',
  unusable: 'the address or the files of smsc.tls cannot be used: correct them',
  'waits-for-first': 'waits for the first bind of the line, so that a wrong password is tried only once',
} as const

export function remedyOf(why: Why): string {
  return REMEDIES[why]
}

/** The trouble that a refused bind means, by the status of the SMSC. */
export function refusal(status: number): Trouble {
  const detail = statusText(status)
  const { bind } = statusPolicy(status)
  if (status === STATUS.ESME_RTHROTTLED) return { why: 'throttled', detail }
  if (bind === 'never') return { why: 'wrong-password', detail }
  if (status === STATUS.ESME_RBINDFAIL) return { why: 'bind-failed', detail }
  return { why: bind === 'next-second' ? 'already-bound' : 'bind-refused', detail }
}

/** The trouble that a link, or the machine that dropped it, reports at its end. `hadServed`: the bind was up. */
export function troubleOf(detail: string, hadServed: boolean): Trouble {
  const found = CAUSES.find(([said]) => said.test(detail))
  const why = found?.[1] ?? 'connection-closed'
  return { why: hadServed && why === 'connection-closed' ? 'lost' : why, detail }
}

const CAUSES: [said: RegExp, why: Why][] = [
  [/^uncodable/, 'uncodable'],
  [/^unusable/, 'unusable'],
  [/^ECONNREFUSED$/, 'connection-refused'],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|ETIMEDOUT|EACCES|EPERM|connect-timeout)$/,
    'unreachable',
  ],
  [/^(ENOTFOUND|ENODATA|EAI_[A-Z]+)$/, 'unresolvable'],
  [/^(bind-timeout|enquire_link-unanswered|peer-does-not-read)$/, 'silent'],
  [/CERT|SELF_SIGNED|UNABLE_TO_/, 'certificate'],
  [/^(ERR_(TLS|SSL|OSSL)_|EPROTO)/, 'tls'],
  [/^(framing|pdu-half-sent|nack-0)$/, 'not-smpp'],
  [/^unbound-by-smsc$/, 'unbound'],
]
