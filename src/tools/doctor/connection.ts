/** Connection and binds: which binds are accepted, in which role, how often, and what the SMSC says of itself. */
import { TLSSocket } from 'node:tls'
import { bindRequest, type BindRole, type SmscSettings } from '../../smpp/session/index.ts'
import { statusPolicy } from '../../ussd/index.ts'
import { isOk, evidenceOf, refusedStatus, wordsOf, type Exam } from './exam.ts'
import type { CheckId } from './finding.ts'
import { openWire, type WireAnswer, type Wire, type WireDeps } from './wire.ts'

/** The roles that could be bound. Null: none. */
export interface Roles {
  transceiver: boolean
  pair: boolean
}

const V50 = 0x50
const SC_INTERFACE_VERSION = 0x0210
/** The status needs a person; another try may lock the account. */
const isForGood = (status: number): boolean => statusPolicy(status).bind === 'never'

export function wireParts({ plan, clock, order }: Exam, onMessage?: WireDeps['onMessage']): WireDeps {
  return {
    to: plan.smsc.hosts[0]!,
    tls: plan.smsc.tls,
    clock,
    order,
    connectMs: plan.times.connectMs,
    ...(onMessage ? { onMessage } : {}),
  }
}

export function bindOn(
  wire: Wire,
  role: BindRole,
  exam: Exam,
  changes: Partial<SmscSettings> = {},
): Promise<WireAnswer> {
  const coded = bindRequest(role, { ...exam.plan.smsc, ...changes })
  if ('fault' in coded) throw new Error(coded.fault)
  return wire.octets(coded.octets, exam.plan.times.answerMs)
}

export async function leave(wire: Wire, exam: Exam): Promise<WireAnswer> {
  const answer = await wire.request({ command: 'unbind', body: {}, tlvs: [] }, exam.plan.times.answerMs)
  wire.close()
  return answer
}

export async function examineConnection(exam: Exam): Promise<Roles | null> {
  const opened = await openWire(wireParts(exam))
  const { host, port } = exam.plan.smsc.hosts[0]!
  if ('failed' in opened) {
    const { check, advice } = failure(opened.failed)
    exam.find(check, 'fail', `${host}:${port}: ${opened.failed} after ${opened.ms} ms`, { advice })
    return null
  }
  exam.find('tcp', 'pass', `${opened.wire.socket.remoteAddress}:${opened.wire.socket.remotePort} after ${opened.ms} ms`)
  examineTls(exam, opened.wire)
  const transceiver = await examineRole(exam, 'transceiver', { open: opened.wire })
  if (transceiver === 'stop') return null
  // Without a transceiver, both roles are needed.
  const isNeeded = !transceiver
  const transmitter = await examineRole(exam, 'transmitter', { isNeeded })
  const receiver = transmitter === 'stop' ? 'stop' : await examineRole(exam, 'receiver', { isNeeded })
  const pair = transmitter === true && receiver === true
  if (!transceiver && !pair) return null
  const role = transceiver ? 'transceiver' : 'transmitter'
  await examineVersion(exam, role)
  await examineSecond(exam, role)
  if (exam.plan.wrongPassword) await examineWrongPassword(exam, role)
  else
    exam.find('wrong-password', 'not-tested', 'skipped: some SMSCs lock an account after it (--wrong-password runs it)')
  return { transceiver, pair }
}

function failure(code: string): { check: CheckId; advice: string } {
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code)) {
    const advice =
      'this machine does not trust the certificate: set its authority (smsc.tls.ca) and its name (smsc.tls.servername)'
    return { check: 'tls', advice }
  }
  if (/SSL|TLS|EPROTO/.test(code))
    return { check: 'tls', advice: 'this port does not speak TLS 1.2 or later: ask for the TLS port' }
  return { check: 'tcp', advice: 'ask the operator for host and port, and whether the firewall allows your address' }
}

function examineTls(exam: Exam, { socket }: Wire): void {
  if (!(socket instanceof TLSSocket)) {
    const advice = 'the password and all texts cross the network in clear text: ask for TLS, or use a VPN'
    return void exam.find('tls', 'not-tested', 'the line is configured without TLS', { advice })
  }
  const { subject, issuer, valid_to: until, subjectaltname: names } = socket.getPeerCertificate()
  const name = (of: { CN?: string | string[] } | undefined) => String(of?.CN ?? '-')
  const daysLeft = Math.floor((Date.parse(until) - exam.clock.now()) / 86_400_000)
  const whose = `certificate of ${name(subject)} (${names ?? 'no other names'}) by ${name(issuer)}, until ${until}, accepted`
  const said = `${socket.getProtocol()}, ${socket.getCipher().name}; ${whose}`
  exam.find('tls', 'pass', said, daysLeft < SOON_DAYS ? { advice: `the certificate ends in ${daysLeft} days` } : {})
}

const SOON_DAYS = 30

/** stop: another try may lock the account, or the account is in use. */
async function examineRole(
  exam: Exam,
  role: BindRole,
  how: { open?: Wire; isNeeded?: boolean },
): Promise<boolean | 'stop'> {
  const { open, isNeeded = false } = how
  const check: CheckId = `bind-${role}`
  const wire = open ?? (await another(exam))
  if (!wire) {
    exam.find(check, 'fail', 'no connection for a second bind', {
      advice: 'the SMSC may limit connections: ask how many it allows, and how fast one after the other',
    })
    return 'stop'
  }
  const answer = await bindOn(wire, role, exam)
  if (isOk(answer)) {
    const left = await leave(wire, exam)
    exam.find(
      check,
      'pass',
      `${wordsOf(answer)}; then unbind ${left.is === 'answered' ? 'answered' : 'not answered'}`,
      {
        evidence: evidenceOf(answer),
      },
    )
    return true
  }
  wire.close()
  const status = refusedStatus(answer)
  const evidence = evidenceOf(answer)
  if (status !== undefined && isForGood(status)) {
    const advice = 'system id or password is wrong: the test stops here, because SMSCs lock accounts'
    exam.find(check, 'fail', wordsOf(answer), { evidence, advice })
    return 'stop'
  }
  if (status !== undefined && statusPolicy(status).bind === 'next-second') {
    const advice =
      'the account is in use: stop the program that is bound with it, or wait until the SMSC drops the old bind'
    exam.find(check, 'fail', wordsOf(answer), { evidence, advice })
    return 'stop'
  }
  exam.find(check, status === undefined || isNeeded ? 'fail' : 'not-supported', wordsOf(answer), {
    evidence,
    ...(role === 'transceiver'
      ? { advice: 'bind a transmitter and a receiver instead', settings: { bind: 'pair' } }
      : {}),
    ...(isNeeded ? { advice: 'the SMSC refuses a transceiver and a pair: ask how this account may bind' } : {}),
  })
  return false
}

async function another(exam: Exam): Promise<Wire | undefined> {
  const opened = await openWire(wireParts(exam))
  return 'wire' in opened ? opened.wire : undefined
}

async function examineVersion(exam: Exam, role: BindRole): Promise<void> {
  const wire = await another(exam)
  if (!wire) return
  const answer = await bindOn(wire, role, exam, { interfaceVersion: V50 })
  if (isOk(answer)) await leave(wire, exam)
  wire.close()
  const evidence = evidenceOf(answer)
  exam.find('bind-v50', isOk(answer) ? 'pass' : 'not-supported', `${wordsOf(answer)}; the daemon says 3.4`, {
    evidence,
  })
  judgeVersion(exam, isOk(answer) ? answer : await again(exam, role))
}

async function again(exam: Exam, role: BindRole): Promise<WireAnswer | undefined> {
  const wire = await another(exam)
  const answer = wire && (await bindOn(wire, role, exam))
  if (wire && answer && isOk(answer)) await leave(wire, exam)
  wire?.close()
  return answer
}

function judgeVersion(exam: Exam, answer: WireAnswer | undefined): void {
  if (!answer || !isOk(answer)) return
  const version = answer.pdu.tlvs.find(({ tag }) => tag === SC_INTERFACE_VERSION)?.value[0]
  const others = answer.pdu.tlvs
    .filter(({ tag }) => tag !== SC_INTERFACE_VERSION)
    .map(({ tag }) => `0x${tag.toString(16).padStart(4, '0')}`)
  const named = `system_id ${JSON.stringify(String(answer.pdu.body.system_id ?? ''))}`
  const extra = others.length ? `; also ${others.join(', ')}` : ''
  const without = 'no sc_interface_version: by SMPP v3.4 §3.4 it takes no optional parameters, but most such SMSCs do'
  const said = version === undefined ? without : `sc_interface_version 0x${version.toString(16)}`
  exam.find('interface-version', 'pass', `${named}, ${said}${extra}`, { evidence: evidenceOf(answer) })
}

async function isAlive(wire: Wire, exam: Exam): Promise<boolean> {
  return isOk(await wire.request({ command: 'enquire_link', body: {}, tlvs: [] }, exam.plan.times.answerMs))
}

async function examineSecond(exam: Exam, role: BindRole): Promise<void> {
  const first = await another(exam)
  if (!first) return
  const held = await bindOn(first, role, exam)
  const second = isOk(held) ? await another(exam) : undefined
  const answer = second ? await bindOn(second, role, exam) : undefined
  const isBeside = answer && isOk(answer) && (await isAlive(first, exam))
  if (second && answer && isOk(answer)) await leave(second, exam)
  second?.close()
  await leave(first, exam)
  if (!isOk(held)) {
    const advice = 'wait longer before you bind again (timers.reconnectMs): the SMSC still holds the last bind'
    return void exam.find('second-bind', 'fail', `the first bind failed: ${wordsOf(held)}`, {
      evidence: evidenceOf(held),
      advice,
    })
  }
  if (!answer) return void exam.find('second-bind', 'not-supported', 'no second connection', { settings: { links: 1 } })
  if (isOk(answer) && !isBeside) {
    const advice = 'only one bind: set links: 1, and run one daemon; two would push each other out'
    return void exam.find('second-bind', 'not-supported', 'accepted, but the SMSC closed the first bind', {
      evidence: evidenceOf(answer),
      advice,
      settings: { links: 1 },
    })
  }
  if (isOk(answer)) {
    return void exam.find(
      'second-bind',
      'pass',
      'accepted next to the first: several links and several daemons may serve at the same time',
      { evidence: evidenceOf(answer) },
    )
  }
  const advice = 'only one bind: set links: 1; a second daemon stands by and takes over'
  exam.find('second-bind', 'not-supported', wordsOf(answer), {
    evidence: evidenceOf(answer),
    advice,
    settings: { links: 1 },
  })
}

async function examineWrongPassword(exam: Exam, role: BindRole): Promise<void> {
  const wire = await another(exam)
  if (!wire) return
  const right = exam.plan.smsc.password
  const answer = await bindOn(wire, role, exam, { password: right === 'wrong' ? 'wronger' : 'wrong' })
  const isBound = isOk(answer)
  if (isBound) await leave(wire, exam)
  wire.close()
  const status = refusedStatus(answer)
  if (isBound) {
    return void exam.find('wrong-password', 'fail', 'accepted', {
      evidence: evidenceOf(answer),
      advice: 'everybody who reaches the port can bind: ask how the port is protected',
    })
  }
  const isPlain = status !== undefined && isForGood(status)
  const advice =
    'the daemon slows down only after 0x0E and 0x0F: with this status it would try every minute, which may lock the account'
  exam.find('wrong-password', isPlain ? 'pass' : 'fail', wordsOf(answer), {
    evidence: evidenceOf(answer),
    ...(isPlain ? {} : { advice }),
  })
}
