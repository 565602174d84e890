/**
 * What is mutated: every file on the path of a message and of an SMS, with the tests that stand nearest. Tests that
 * several files share are one object, and are measured once. A file on the path that is not here fails a test.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'
import type { Nearest } from './runner.ts'

const tests = (...names: string[]): readonly string[] => names.map((name) => `test/${name}.test.ts`)
const suite = (folder: string, ...names: string[]): readonly string[] =>
  tests(...names.map((name) => `${folder}/${name}`))

/** The whole way of a message: the gateway with a store in memory, then kept histories of the simulation. */
const WAY: Nearest = { tests: tests('gateway/steps', 'gateway/sweep', 'gateway/gateway', 'simulation/kept') }
const DIALOGUES: Nearest = {
  tests: [...suite('dialogue', 'classify', 'decider', 'decided-again', 'dialogues'), ...tests('store/journal/memory')],
}
const OUTCOME: Nearest = {
  tests: [...suite('dialogue', 'outcome', 'entry', 'track'), ...tests('store/journal/memory')],
}
const TURN: Nearest = { tests: tests('dialogue/turn', 'dialogue/held') }
const CODEC: Nearest = { tests: suite('smpp/pdu', 'codec', 'codec-fast-path', 'vectors') }
const WINDOW: Nearest = { tests: suite('smpp/session', 'window') }
const CAP: Nearest = { tests: suite('smpp/session', 'cap', 'lately') }
const LINE: Nearest = {
  tests: suite('smpp/session', 'socket-writer', 'together', 'counted', 'line', 'hearing', 'drop', 'outage', 'hostile'),
}
const BIND: Nearest = { tests: suite('smpp/session', 'bind-machine', 'bind', 'hearing', 'drop', 'outage') }
const DIALECT: Nearest = {
  tests: suite('smpp/dialect', 'carrier', 'classify', 'envelope', 'write', 'dialect', 'vectors', 'both-ends'),
}
const RECORD: Nearest = {
  tests: tests('store/record', 'store/journal/memory', 'store/sealed', 'store/forged', 'store/redis/store'),
  redis: true,
}
const REDIS: Nearest = { tests: suite('store/redis', 'store', 'faults', 'earlier', 'model', 'octets'), redis: true }
const OUTBOX: Nearest = {
  tests: [...suite('sms/outbox', 'looks', 'settle', 'poll', 'dispatch'), ...tests('sms/receipts/receipts')],
  postgres: true,
}
const RECEIPTS: Nearest = {
  tests: [...tests('sms/receipts/receipts'), ...suite('sms/outbox', 'dispatch', 'machine')],
  postgres: true,
}
const SMS_PDU: Nearest = { tests: tests('sms/pdu/segments', 'sms/pdu/submit-sm', 'sms/pdu/receipt', 'sms/inbox/parts') }
const INBOX: Nearest = {
  tests: [...suite('sms/inbox', 'receive', 'parts', 'inbox', 'opt-out'), ...tests('e2e/sms/parts')],
  postgres: true,
  redis: true,
}
/** Between the outbox and the line; SMS that replace others, or are asked for. */
const SENDING: Nearest = { tests: tests('sms/sending', 'sms/outbox/replace', 'sms/outbox/query'), postgres: true }
const REQUESTS: Nearest = { tests: tests('sms/requests'), postgres: true }
/** The first are quick, and notice most. */
const PUSH: Nearest = { tests: tests('push/push', 'e2e/sms/push'), postgres: true, redis: true }
const LATE: Nearest = {
  tests: tests('late/chain', 'late/given-up', 'late/idle', 'e2e/faults/late'),
  postgres: true,
  redis: true,
}

export const TARGETS: Readonly<Record<string, Nearest>> = {
  ...files('gateway', WAY, ['gateway', 'turns', 'steps', 'sweep']),
  ...each('gateway', [
    'admission',
    'arrival-order',
    'backlog',
    'delivery',
    'ending',
    'intake',
    'reply',
    'unopened',
    'unrested',
  ]),
  ...files('dialogue', TURN, ['turn', 'turned']),
  ...files('dialogue', DIALOGUES, ['classify', 'decider', 'dialogues', 'key', 'seizing', 'take']),
  'src/dialogue/path.ts': { tests: [...suite('enquiry', 'story'), ...suite('records', 'funnel')], postgres: true },
  'src/store/postgres/sharing.ts': { tests: suite('store/postgres', 'sharing'), postgres: true },
  'src/daemon/backends/connections.ts': { tests: suite('daemon/backends', 'connections') },
  'src/dialogue/exact-texts.ts': { tests: suite('dialogue', 'exact-texts') },
  'src/dialogue/calls-made.ts': { tests: suite('dialogue', 'calls-made') },
  ...files('dialogue', OUTCOME, ['entry', 'outcome', 'cdr', 'track']),
  ...each('dialogue', ['heard', 'shown']),
  ...each('smpp/pdu', ['framer']),
  ...files('smpp/pdu', CODEC, ['codec', 'codec-fast-path', 'tlvs']),
  ...files('smpp/session', WINDOW, ['window', 'pace']),
  ...files('smpp/session', CAP, ['cap', 'lately']),
  ...files('smpp/session', LINE, ['line', 'link', 'socket-reader', 'socket-writer', 'together']),
  ...files('smpp/session', BIND, ['bind']),
  ...each('smpp/session', ['alarm', 'bind-request', 'inbound', 'open-requests']),
  ...files('smpp/dialect', DIALECT, ['carrier', 'classify', 'code', 'dialect', 'envelope', 'text', 'write']),
  ...files('store', RECORD, ['dialogues', 'record', 'records']),
  'src/store/last-written.ts': { tests: tests('store/last-written', 'store/redis/recall'), redis: true },
  ...files('store/redis', REDIS, [
    'earlier',
    'gathered',
    'keyspace',
    'octets',
    'records',
    'register',
    'store',
    'turn-calls',
  ]),
  'src/store/redis/shares.ts': { tests: suite('store/redis', 'shares'), redis: true },
  'src/store/redis/owed.ts': { tests: tests('store/owed'), redis: true },
  ...files('sms/outbox', OUTBOX, ['dispatch', 'forget', 'recall', 'rows', 'settling']),
  ...files('base/tasks', OUTBOX, ['gathering']),
  ...each('sms/outbox', ['upkeep']),
  ...each('sms/terms', ['quiet-hours', 'when']),
  'src/sms/outbox/plan.ts': { tests: suite('sms/terms', 'quiet-hours') },
  'src/sms/outbox/lanes.ts': { tests: suite('sms/outbox', 'lanes'), postgres: true },
  'src/sms/outbox/heads.ts': { tests: suite('sms/outbox', 'crowds', 'lanes'), postgres: true },
  'src/sms/outbox/crowds.ts': { tests: suite('sms/outbox', 'crowds', 'lanes'), postgres: true },
  'src/sms/outbox/quiet-zones.ts': { tests: suite('sms/outbox', 'settle', 'dispatch'), postgres: true },
  'src/sms/outbox/keyed.ts': REQUESTS,
  'src/sms/outbox/replace-keyed.ts': { tests: suite('sms/outbox', 'replace-keyed'), postgres: true },
  'src/sms/receipts/id-forms.ts': { tests: suite('sms/receipts', 'id-forms'), postgres: true },
  'src/sms/terms/given-up.ts': { tests: suite('sms/terms', 'given-up'), postgres: true },
  'src/sms/terms/reason.ts': { tests: suite('sms/terms', 'given-up'), postgres: true },
  'src/sms/receipts/orphans.ts': { tests: suite('sms/receipts', 'receipts', 'id-forms'), postgres: true },
  ...files('sms/requests', REQUESTS, ['owed', 'requests']),
  ...files('sms/receipts', RECEIPTS, ['message-id', 'receipts', 'rows']),
  ...files('sms/outbox', RECEIPTS, ['ambiguous']),
  ...files('sms/terms', RECEIPTS, ['retry-policy']),
  'src/sms/outbox/statements.ts': { tests: suite('sms/outbox', 'statements'), postgres: true },
  'src/sms/outbox/enqueue.ts': { tests: suite('sms/outbox', 'enqueue'), postgres: true },
  ...files('sms/outbox', SENDING, ['query', 'replace']),
  ...files('sms', SENDING, ['sending']),
  ...files('sms/pdu', SMS_PDU, ['receipt', 'regulated', 'segments', 'segments-join', 'submit-sm']),
  ...files('sms/pdu', { tests: tests('sms/pdu/manage') }, ['cancel-sm', 'query-sm', 'replace-sm']),
  ...files('sms/inbox', INBOX, ['inbox', 'keywords', 'opt-out', 'parts', 'receive']),
  ...files('hooks', { tests: tests('hooks/hooks'), postgres: true }, ['hooks', 'rows', 'sender']),
  ...files('push', PUSH, ['opening', 'pages', 'push', 'refusal', 'reply', 'screen', 'way']),
  ...files('push', { tests: tests('push/limits'), postgres: true }, ['limits']),
  'src/ussd/status-policy.ts': { tests: tests('ussd/status-policy') },
  ...files('deferred', LATE, ['deferred', 'rows']),
  ...files('records', { tests: suite('records', 'collector', 'rows', 'files', 'funnel'), postgres: true }, [
    'collector',
    'funnel',
    'funnel-rows',
    'partitions',
    'rows',
  ]),
}

/** The parts that nothing may get past: taking and resting a turn, framing, and sending an SMS. */
export const CORE: ReadonlySet<string> = new Set([
  'src/smpp/pdu/framer.ts',
  ...['turn', 'classify', 'decider', 'take', 'outcome', 'entry'].map((name) => `src/dialogue/${name}.ts`),
  'src/sms/outbox/statements.ts',
  'src/sms/outbox/dispatch.ts',
])

/** The rooms on the path; of src/smpp/session and src/store the files that every message passes. */
const ROOMS = [
  'gateway',
  'dialogue',
  'smpp/pdu',
  'smpp/session',
  'smpp/dialect',
  'store',
  'store/redis',
  'sms',
  'sms/outbox',
  'sms/receipts',
  'sms/requests',
  'sms/terms',
  'sms/pdu',
  'sms/inbox',
  'hooks',
  'push',
  'deferred',
]
/** Passed by no message: settings, tables, what happens at a start, and what an operator is told. */
export const LEFT_ASIDE: Readonly<Record<string, readonly string[]>> = {
  gateway: ['texts'],
  'smpp/pdu': ['commands', 'status'],
  'smpp/session': ['answer-times', 'counters', 'outage', 'settings', 'socket', 'trouble'],
  'smpp/dialect': ['load', 'problems', 'regex', 'schema'],
  store: ['key-file', 'register', 'seal', 'unreachable'],
  'store/redis': ['connection', 'first', 'parts', 'scripts', 'servers'],
  sms: ['push-first', 'service'],
  'sms/outbox': ['settings'],
  'sms/receipts': ['deps'],
}

/** Files on the path that are neither mutated nor left aside. */
export function forgottenFiles(): string[] {
  return ROOMS.flatMap((room) =>
    readdirSync(join(packageRoot, 'src', room))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !['index.ts', 'types.ts'].includes(name))
      .filter((name) => !LEFT_ASIDE[room]?.includes(name.replace('.ts', '')))
      .map((name) => `src/${room}/${name}`)
      .filter((file) => !TARGETS[file]),
  )
}

function files(room: string, nearest: Nearest, names: readonly string[]): Record<string, Nearest> {
  return Object.fromEntries(names.map((name) => [`src/${room}/${name}.ts`, nearest]))
}

/** Each with the test of its name. */
function each(room: string, names: readonly string[]): Record<string, Nearest> {
  return Object.assign({}, ...names.map((name) => files(room, { tests: suite(room, name) }, [name])))
}
