/** Why a bind is not up, in one word, and what a person can do about it. */
import { FOR_GOOD } from '../../../machines/bind-tries.ts'
import { STATUS, statusText } from '../pdu/index.ts'

export type Why = keyof typeof REMEDIES

export interface Trouble {
  why: Why
  /** As the system or the SMSC said it: `ECONNREFUSED`, `0x0D ESME_RBINDFAIL`. */
  detail: string
}

const REMEDIES = {
  'connection-refused': 'nothing listens there: is the SMSC running, and are smsc.host and smsc.port right?',
  unreachable:
    'no way to it: look at VPN, route and firewall; ask the operator whether our address is let in; ' +
    'with smsc.tls, ask whether that port speaks TLS',
  unresolvable: 'smsc.host has no address: is it spelt right, and does DNS answer on this machine?',
  silent:
    'it takes the connection and does not answer: is this the SMPP port? If it is, the SMSC is stuck: tell the operator',
  'connection-closed':
    'it hangs up before it answers our bind: ask the operator whether our address may connect, and how often at once; ' +
    'does it want TLS (smsc.tls)?',
  lost:
    'the connection of a bind that served broke. If that happens often: the network between us, ' +
    'or a firewall that forgets idle connections (timers.enquireMs)',
  certificate:
    "its certificate is refused: smsc.tls.ca (who signed it), smsc.tls.servername (its name), or this machine's clock",
  tls: 'it speaks no TLS 1.2 or later there, or wants our certificate (smsc.tls.cert): ask the operator for the TLS port',
  'not-smpp': 'what answers there is not SMPP: is smsc.port right, and does it want TLS (smsc.tls)?',
  'wrong-password':
    'smsc.systemId or the password is wrong: mend it, then ussd-connector lines --reload. ' +
    'Tries are slow, as accounts get locked',
  'bind-failed':
    'one of two: the SMSC is starting or overloaded, and it passes; ' +
    'or it does not know this account, our address or this kind of bind: ask the operator',
  'already-bound':
    'the account is in use: by another daemon of yours (this one takes over from it), ' +
    'by our own last connection (it passes), or by another program',
  'bind-refused':
    'the SMSC refuses the bind: ask the operator what the status means; ' +
    'often it is bind, smsc.systemType or smsc.addressRange',
  unbound: 'the SMSC asked us to leave: it restarts, or the operator closed the account',
  uncodable: 'no bind request can carry a setting of smsc: mend the one that is named',
  unusable: 'the address or the files of smsc.tls cannot be used: mend them',
  'waits-for-first': 'the first bind of the line goes ahead: a wrong password is tried once, not once a bind',
} as const

export function remedyOf(why: Why): string {
  return REMEDIES[why]
}

/** What the SMSC answered our bind with. */
export function refusal(status: number): Trouble {
  const detail = statusText(status)
  if (FOR_GOOD.has(status)) return { why: 'wrong-password', detail }
  if (status === STATUS.ESME_RBINDFAIL) return { why: 'bind-failed', detail }
  return { why: status === STATUS.ESME_RALYBND ? 'already-bound' : 'bind-refused', detail }
}

/** What the link, or the machine that dropped it, says about its end. `hadServed`: it was a bind. */
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
