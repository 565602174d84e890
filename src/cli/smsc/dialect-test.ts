/** `dialect test`: tests a profile against the simulator, which uses it from the other end, PDU by PDU. */
import { writeFileSync } from 'node:fs'
import { systemChance, systemClock, UsageError, silentLog } from '../../base/index.ts'
import { capturedFrames, type Side, showPdu } from '../../tools/capture/index.ts'
import { profileCoding, type Phone, startSmsc } from '../../simulator/index.ts'
import { noCounters, smppLine, lineSettings } from '../../smpp/session/index.ts'
import { compileDialect, loadProfile } from '../../smpp/dialect/index.ts'
import type { Dialect, Line, LinkPort, Pdu } from '../../smpp/index.ts'
import type { UssdMessage, UssdReply } from '../../ussd/index.ts'
import { DIALECTS } from './dialect.ts'
import type { Say } from '../arguments.ts'

const MENU = 'Service test\n1. Balance\n2. Help'
const [JOHN, MARY, PAUL] = ['67570000001', '67570000002', '67570000003']
const WAIT_MS = 3_000
/** Not one of the first numbers: small numbers look the same in every coding. */
const FIRST_NUMBER = 111

interface Played {
  messages: UssdMessage[]
  failed: string[]
}

/** Throws UsageError if a step has the wrong result. `record` gets every PDU in hex, one per line. */
export async function testCommand(name: string, options: { record?: string }, say: Say): Promise<void> {
  const profile = loadProfile(name, DIALECTS)
  const dialect = compileDialect(profile, { chance: systemChance })
  const clock = systemClock()
  const smsc = await startSmsc({
    clock,
    chance: systemChance,
    coding: profileCoding(profile),
    screenMs: WAIT_MS,
    firstNumber: FIRST_NUMBER,
  })
  const played: Played = { messages: [], failed: [] }
  const log: string[] = []
  const show = (from: Side, octets: Buffer) => {
    const [pdu] = capturedFrames([{ atMs: clock.now(), link: 'test', octets, from }]).pdus
    if (!pdu || /^(?:bind_|unbind|enquire)/.test(pdu.pdu.command)) return
    log.push(`${new Date(clock.now()).toISOString()} ${from === 'smsc' ? '<' : '>'} ${octets.toString('hex')}`)
    say(showPdu(pdu).join('\n'))
  }
  const line: Line = smppLine(
    lineSettings({
      name: 'test',
      smsc: { hosts: [{ host: '127.0.0.1', port: smsc.port }], systemId: 'test', password: 'test' },
    }),
    {
      dialect,
      clock,
      chance: systemChance,
      log: silentLog,
      counters: noCounters,
      instance: 'test',
      onRequest: (pdu, link) => answer(pdu, link, { line, dialect, played, say, now: clock.now }),
      tap: (direction, octets) => show(direction === 'in' ? 'smsc' : 'esme', octets),
    },
  )
  try {
    line.start()
    await smsc.bound(1, WAIT_MS)
    await play(smsc.phone, played, say)
  } finally {
    await line.stop(clock.now() + WAIT_MS)
    await smsc.stop()
  }
  if (options.record !== undefined) writeFileSync(options.record, `${log.join('\n')}\n`)
  if (played.failed.length > 0) throw new UsageError(`dialect ${profile.name}:\n  ${played.failed.join('\n  ')}`)
  say(`\n${profile.name}: every step passed`)
}

interface AnswerInput {
  line: Line
  dialect: Dialect
  played: Played
  say: Say
  now(): number
}

/** A begin and the answer 1 get the menu; anything else gets the end. */
async function answer(pdu: Pdu, link: LinkPort, { line, dialect, played, say, now }: AnswerInput): Promise<void> {
  const read = dialect.read(pdu)
  const isLate = dialect.habits.deliverResp !== 'immediate'
  if (!isLate) link.respond(pdu, 0)
  if (read.is !== 'ussd') {
    if (isLate) link.respond(pdu, 0)
    return say(`  = ${read.is}`)
  }
  const { message } = read
  played.messages.push(message)
  const said = message.code || (message.text && JSON.stringify(message.text))
  say(`  = ${message.kind}${said ? ` ${said}` : ''}${message.network ? `, dialogue ${message.network}` : ''}`)
  const asks = message.kind === 'begin' ? !message.code.includes('*9#') : message.text === '1'
  const reply: UssdReply = asks
    ? { action: 'continue', text: MENU }
    : { action: 'end', text: 'Service test. Thank you.' }
  if (message.kind === 'begin' || message.kind === 'input') {
    const sent = line.submit(dialect.write(reply, message.returnPath).pdu, { lane: 'ussd', deadline: now() + WAIT_MS })
    if (dialect.habits.deliverResp === 'after-submit-resp') await sent
    if (isLate) link.respond(pdu, 0)
    const outcome = await sent
    // The late, withheld response says that the subscriber has gone: the reply is not at fault.
    const isGone =
      dialect.habits.submitResp === 'withheld' &&
      outcome.kind === 'refused' &&
      dialect.policy(outcome.status).screen === 'never'
    if (outcome.kind === 'refused' && !isGone) {
      played.failed.push(`the simulator refused a reply with status 0x${outcome.status.toString(16)}`)
    }
  } else if (isLate) link.respond(pdu, 0)
}

/** A complete dialogue, one that the subscriber gives up, and a deep dial. */
async function play(phone: (msisdn: string) => Phone, played: Played, say: Say): Promise<void> {
  const expect = (isSo: boolean, what: string) => void (isSo || played.failed.push(what))
  const heading = (text: string) => say(`\n# ${text}`)
  const screen = async (what: string, shown: Promise<{ text: string; open: boolean }>, open: boolean) => {
    const got = await shown.catch(() => null)
    expect(got !== null, `${what}: no screen arrived`)
    if (got) expect(got.open === open, `${what}: the network reads it as ${got.open ? 'a question' : 'an end'}`)
    if (got) say(`  handset: ${JSON.stringify(got.text)}${got.open ? ' _' : ''}`)
  }
  heading('A dialogue, ended by the application')
  await screen('menu', phone(JOHN as string).dial('*123#'), true)
  await screen('answer 1', phone(JOHN as string).answer('1'), true)
  await screen('answer 2', phone(JOHN as string).answer('2'), false)
  heading('A dialogue that the subscriber cancels')
  await screen('menu', phone(MARY as string).dial('*123#'), true)
  await screen('answer 1', phone(MARY as string).answer('1'), true)
  const before = played.messages.length
  phone(MARY as string).hangUp()
  await new Promise<void>((done) => void systemClock().after(LINGER_MS, done))
  const last = played.messages.slice(before)[0]
  if (!last) say('  (this network sends no message for it)')
  else expect(last.kind === 'abort' || last.kind === 'end', `the cancelled dialogue is read as ${last.kind}`)
  heading('A deep dial')
  await screen('deep dial', phone(PAUL as string).dial('*123*9#'), false)
  const dialled = played.messages.at(-1)?.code ?? ''
  expect(dialled === '*123*9#', `the deep dial *123*9# is read as '${dialled}'`)
  await new Promise<void>((done) => void systemClock().after(LINGER_MS, done))
}

const LINGER_MS = 150
