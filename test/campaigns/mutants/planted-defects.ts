/**
 * Defects that such gateways have had, each planted in a copy of the sources, and the test that must notice it. A test
 * that notices none of them is worth nothing; a defect that no test notices is a gap. Each edit names text that stands
 * in its file once: a defect whose place is gone fails a test.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'
import type { Nearest } from './runner.ts'
import type { Mutant } from './mutants.ts'

export interface PlantedDefect {
  name: string
  file: string
  /** What is replaced with what. */
  edits: readonly (readonly [was: string, put: string])[]
  /** Each of them must fail, by its title. */
  noticedBy: readonly (Nearest & { only: string })[]
}

const GATEWAY = 'test/gateway/gateway.test.ts'
const LEASE_KEPT = 'is renewed while a back end works, so that nobody else takes it over; and the answer is shown once'
const LEASE_WALL = 'runs by the wall clock, also where the calendar is another'

export const PLANTED: readonly PlantedDefect[] = [
  {
    name: 'a message is acknowledged before the store has it',
    file: 'src/gateway/gateway.ts',
    edits: [[`    failpoint('before-read')\n`, `    from.link.respond(from.pdu, STATUS.ESME_ROK)\n`]],
    noticedBy: [
      by(GATEWAY, 'is acknowledged only when the store has it, and then shown'),
      by('test/simulation/kept.test.ts', 'the plan that once found: killed before the store has a message'),
    ],
  },
  {
    name: 'a screen is sent again without asking whether it is current',
    file: 'src/gateway/delivery.ts',
    edits: [
      [
        'const known = { knownMs: 0, isFirst: false }',
        'const known = { knownMs: this.#deps.clock.now(), isFirst: false }',
      ],
      ['const current = await this.#isCurrent(record, known)', 'const current = true as boolean | null'],
    ],
    noticedBy: [
      by(
        'test/gateway/delivery.test.ts',
        'is sent if the dialogue still stands at it, and left alone if the subscriber has answered',
      ),
    ],
  },
  {
    name: 'no lease is renewed while a turn is played',
    file: 'src/gateway/turns.ts',
    edits: [
      [
        `() => void guarded('renew', () => dialogues.renew(key, epoch, token, clock.now() + limits.leaseMs), record),`,
        '() => undefined,',
      ],
    ],
    noticedBy: [by(GATEWAY, LEASE_KEPT)],
  },
  {
    name: 'an SMS is submitted whoever has its lease',
    file: 'src/sms/outbox/rows.ts',
    edits: [
      ["const READY = `state = 'due' AND wake_at <= CAST(:now AS timestamptz)`", "const READY = `state = 'due'`"],
    ],
    noticedBy: [
      sms('dispatch', 'does not send what another daemon leased since: its own lease ran out while it sent another'),
    ],
  },
  {
    name: 'a turn is rested without a look at its epoch and token',
    file: 'src/dialogue/outcome.ts',
    edits: [[`if (old.epoch !== epoch || tokenOf(old.version) !== token) return 'refused'`, 'void [epoch, token]']],
    noticedBy: [
      by(
        'test/dialogue/outcome.test.ts',
        'rests once for the token that has it, which is told when it comes again; others are refused',
      ),
      by(
        'test/store/journal/memory.test.ts',
        'is refused after a hang-up, a redial, a takeover, and where there is nothing',
      ),
    ],
  },
  {
    name: 'a late copy of a key is told by its step alone, so that a counter that went back loses keys',
    file: 'src/dialogue/classify.ts',
    edits: [['const heard = wasHeard(old, answer)', 'const heard = undefined as boolean | undefined']],
    noticedBy: [
      by(
        'test/store/journal/memory.test.ts',
        'is the next one under a counter that went back, though only a little: nobody has heard that key',
      ),
    ],
  },
  {
    name: 'the text of an end at a deadline is forgotten if its daemon dies',
    file: 'src/dialogue/outcome.ts',
    edits: [['reply, confirmed: false }, deadlineMs: nowMs + limits.confirmMs', 'reply }, deadlineMs: null']],
    noticedBy: [
      by(
        'test/store/journal/memory.test.ts',
        'leave their text to be sent until it is confirmed: whoever seized it may die before that',
      ),
    ],
  },
  {
    name: 'a lease is renewed without a look at its epoch and token',
    file: 'src/dialogue/dialogues.ts',
    edits: [[`entry?.status !== 'taken' || entry.epoch !== epoch || tokenOf(entry.version) !== token`, '!entry']],
    noticedBy: [by('test/store/journal/memory.test.ts', 'is refused once the turn rested, or where there is nothing')],
  },
  {
    name: 'an SMS whose daemon died after the octets is sent again at once',
    file: 'src/sms/outbox/rows.ts',
    edits: [[`nextState('submitting', { type: 'LOST' })`, `'due'`]],
    noticedBy: [sms('dispatch', 'takes a crash between writing and hearing for it, once the lease is over')],
  },
  {
    name: 'an SMS without a response is sent a third time',
    file: 'src/sms/terms/retry-policy.ts',
    edits: [['const LOSSES_MAX = 2', 'const LOSSES_MAX = 3']],
    noticedBy: [sms('dispatch', 'waits for a receipt, then tries once more, then gives up')],
  },
  {
    name: 'an SMS is written twice',
    file: 'src/sms/outbox/dispatch.ts',
    edits: [
      [
        'const outcome = await submit(work, row, (taken)',
        'await submit(work, row, async () => undefined)\n  const outcome = await submit(work, row, (taken)',
      ],
    ],
    noticedBy: [
      sms('dispatch', 'sends what is due, once, and knows it by the receipt'),
      by('test/simulation/kept.test.ts', 'the plan that once found: clock set back'),
    ],
  },
  {
    name: 'a lease is renewed by the calendar',
    file: 'src/gateway/turns.ts',
    edits: [['dialogues.renew(key, epoch, token, clock.now()', 'dialogues.renew(key, epoch, token, clock.today()']],
    noticedBy: [by(GATEWAY, LEASE_WALL)],
  },
  {
    name: 'the SMSC is told until when to try by the calendar',
    file: 'src/sms/outbox/dispatch.ts',
    edits: [['row.expires_ms - clock.today() + clock.now()', 'row.expires_ms']],
    noticedBy: [sms('dispatch', 'gives the SMSC the wall clock where the calendar is frozen')],
  },
  {
    name: 'the time of a lease is taken by a clock that can be set',
    file: 'src/gateway/steps.ts',
    edits: [['const now = monotonicClock(clock)', 'const now = () => clock.now()']],
    noticedBy: [by('test/gateway/steps.test.ts', 'are renewed on when the clock is set back by an hour')],
  },
  {
    name: 'a daemon serves on whatever its clock says',
    file: 'src/daemon/clock-check.ts',
    edits: [['this.#base) < SET_MS) return this.#wasRight', 'this.#base) < SET_MS) return true']],
    noticedBy: [
      by(
        'test/daemon/clock-check.test.ts',
        'is wrong an hour or two seconds off, which is said once, and right again when it is',
      ),
    ],
  },
  {
    name: 'a running turn gets the time of a clock that was set meanwhile',
    file: 'src/base/time/wall-clock.ts',
    edits: [['(ahead === undefined ? wall.now() : Math.floor(wall.steady() + ahead))', 'wall.now()']],
    noticedBy: [
      by(
        'test/daemon/clock-check.test.ts',
        'does not move the time of a running turn when it is set, until it was found right',
      ),
    ],
  },
  {
    name: 'the window writes a screen without asking whether it may leave',
    file: 'src/smpp/session/window.ts',
    edits: [[`const may = request.mayLeave?.() ?? 'yes'`, `const may: ReturnType<MayLeave> = 'yes'`]],
    noticedBy: [
      by(
        'test/smpp/session/window.test.ts',
        'asks at the moment of writing whether a request may leave, however long it waited',
      ),
    ],
  },
  {
    name: 'a request that timed out while the process stood still is taken back, and gives its slot back twice',
    file: 'src/smpp/session/window.ts',
    edits: [['const why = request.outcome ? undefined : this.#whyNot(request)', 'const why = this.#whyNot(request)']],
    noticedBy: [
      by(
        'test/smpp/session/window.test.ts',
        'does not take back what timed out while the process stood still: that has ended, and frees one slot',
      ),
    ],
  },
  {
    name: 'a screen is handed to the line without the question whether it may leave',
    file: 'src/gateway/delivery.ts',
    edits: [
      ['    const mayLeave = () => this.#mayLeave(record, known)\n', "    const mayLeave: MayLeave = () => 'yes'\n"],
    ],
    noticedBy: [
      by(
        'test/gateway/delivery.test.ts',
        'is not written behind a later screen of this daemon that left since the store was asked',
      ),
    ],
  },
  {
    name: 'the line does not hand on the question whether a screen may leave',
    file: 'src/smpp/session/line.ts',
    edits: [['        key,\n        mayLeave,\n', '        key,\n']],
    noticedBy: [by('test/smpp/session/line.test.ts', 'is unsent when it may not leave any more, and says why')],
  },
  {
    name: 'a screen that is late for the socket is written all the same',
    file: 'src/smpp/session/link.ts',
    edits: [['this.#outbox.write(octets, request)', 'this.#outbox.write(octets)']],
    noticedBy: [
      by(
        'test/smpp/session/line.test.ts',
        'is taken back from the socket where the process stood still, and may not leave any more',
      ),
    ],
  },
  {
    name: 'a text outside any dialogue is acknowledged before it leaves',
    file: 'src/gateway/texts.ts',
    edits: [['    let isHeld = true\n', '    let isHeld = true\n    link.respond(pdu, STATUS.ESME_ROK)\n']],
    noticedBy: [by('test/gateway/texts.test.ts', 'is acknowledged once the system has it, when it takes another link')],
  },
  {
    name: 'a dial that cannot be served in time is admitted',
    file: 'src/gateway/admission.ts',
    edits: [[`if (waitMs <= limits.turnMs) return null`, `if (waitMs >= 0) return null`]],
    noticedBy: [
      by(
        'test/gateway/admission.test.ts',
        'is who can be served within the time of a turn; another is told, and counted',
      ),
    ],
  },
  {
    name: 'a reply is tried on a line that was stopped',
    file: 'src/gateway/reply.ts',
    edits: [[`if (outcome.why === 'stopped') return 'lost'`, 'void 0']],
    noticedBy: [
      by(
        'test/gateway/reply.test.ts',
        'is not tried again on a line that was stopped: a process that ends would wait for it',
      ),
    ],
  },
  {
    name: 'a key is dropped because another daemon had the turn before it',
    file: 'src/store/last-written.ts',
    edits: [
      [
        '      if (writes.mayStand(name, version) || last.has(name, version) === false) return false\n',
        '      if (version) return false\n',
      ],
    ],
    noticedBy: [
      onRedis(
        'test/store/redis/recall.test.ts',
        'may have gone on with another daemon: then the next key is the next key here, too',
      ),
    ],
  },
  {
    name: 'the second of two keys that came at once answers the screen after the first',
    file: 'src/store/last-written.ts',
    edits: [['      if (writes.mayStand(name, version) || last.has(name, version) === false) return false\n', '']],
    noticedBy: [
      onRedis('test/store/redis/recall.test.ts', 'takes one of two keys that come at once; the other is for no screen'),
    ],
  },
  {
    name: 'what was recalled is believed where nothing is written',
    file: 'src/dialogue/decider.ts',
    edits: [
      ['      if (tries > 0) return { result, held: now }\n', '      if (tries >= 0) return { result, held: now }\n'],
    ],
    noticedBy: [
      onRedis(
        'test/store/redis/recall.test.ts',
        'is read if the message is none that is taken: another daemon may know more',
      ),
    ],
  },
  {
    name: 'a copied key confirms',
    file: 'src/dialogue/classify.ts',
    edits: [['nowMs - old.touchedMs < sameKeyMs', 'nowMs - old.touchedMs < 0 * sameKeyMs']],
    noticedBy: [
      by('test/dialogue/dialogues.test.ts', 'shows the screen again, and takes nothing, where that is wanted'),
    ],
  },
  {
    name: 'a reply that never left is counted at each try',
    file: 'src/smpp/session/line.ts',
    edits: [['if (tries === undefined) this.count', 'if (lane) this.count']],
    noticedBy: [by('test/smpp/session/line.test.ts', 'is unsent when its lane is full; the other lane is not')],
  },
  {
    name: 'a half-open link is found after most of a minute',
    file: 'machines/bind-times.ts',
    edits: [['  enquireMs: 10_000,', '  enquireMs: 30_000,']],
    noticedBy: [
      by(
        'test/smpp/session/bind-machine.test.ts',
        'probes after 10 s of silence, twice, then gives the link up, within 20 s',
      ),
    ],
  },
  {
    name: 'a redial under the number of the open dialogue meets silence',
    file: 'src/dialogue/classify.ts',
    edits: [['wantsScreen(old, begin, limits) || redials(old, begin, limits)', 'wantsScreen(old, begin, limits)']],
    noticedBy: [
      by(
        'test/store/journal/memory.test.ts',
        'gets the screen of the open dialogue over the same link, once the SMSC has that screen: nobody redials into silence',
      ),
    ],
  },
  {
    name: 'SIGTERM takes stopMs for replies, and as long again for unbind',
    file: 'src/daemon/drain.ts',
    edits: [
      [
        'repliesMs: goneMs - Math.min(stopMs * UNBIND.share, UNBIND.mostMs), goneMs }',
        'repliesMs: goneMs, goneMs: goneMs + stopMs }',
      ],
    ],
    noticedBy: [by('test/daemon/drain.test.ts', 'keeps a part of its time for unbind: a quarter, at most two seconds')],
  },
  {
    name: 'a late answer of our own event loop is a failure of Redis',
    file: 'src/store/redis/turn-calls.ts',
    edits: [['if (lateMs < LOOP_LATE_MS || !isTimeout(error)) throw error', 'if (lateMs > -Infinity) throw error']],
    noticedBy: [
      onRedis(
        'test/store/redis/faults.test.ts',
        'answers where it was our own event loop that stood still: reads, a write, a turn of both, and a lease',
      ),
    ],
  },
  {
    name: 'one slow trial on a busy machine is a verdict',
    file: 'test/campaigns/judging/certain.ts',
    edits: [
      [
        `  if (evidence >= GREEN) return 'kept'\n`,
        `  if (missed > 0) return 'missed'\n  if (evidence >= GREEN) return 'kept'\n`,
      ],
    ],
    noticedBy: [by('test/campaigns/judging/certain.test.ts', 'is not decided by one trial, nor by two')],
  },
  {
    name: 'work that holds the event loop has no name',
    file: 'src/base/tasks/stretch.ts',
    edits: [['if (ms > STRETCH_MS_MAX) for', 'if (ms > 20 * STRETCH_MS_MAX) for']],
    noticedBy: [
      by('test/base/tasks/stretch.test.ts', 'that are too long have a name; others cost two looks at the clock'),
    ],
  },
  {
    name: 'a sealed record opens in the place of another',
    file: 'src/store/seal.ts',
    edits: [
      ['bound: about(hiddenName, bound) }', `bound: about(hiddenName, '') }`],
      ['stored, about(hiddenName, bound))', `stored, about(hiddenName, ''))`],
    ],
    noticedBy: [
      onRedis(
        'test/store/forged.test.ts',
        'a record of an earlier dialogue, or of another turn, does not open under the head of this one',
      ),
    ],
  },
  {
    name: 'a secret is read from a file that others can read',
    file: 'src/base/secret-file.ts',
    edits: [['if ((mode & 0o077) === 0 || MANAGED', 'if (mode >= 0 || MANAGED']],
    noticedBy: [
      by('test/config/load.test.ts', 'take every file of a token, a key or a password only if nobody else can read it'),
    ],
  },
  {
    name: 'an environment that accepts every certificate is taken',
    file: 'src/config/load.ts',
    edits: [[`if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return []`, `if (env) return []`]],
    noticedBy: [by('test/config/load.test.ts', 'refuse an environment that accepts every certificate')],
  },
  {
    name: 'a caller of the HTTP ingress serves every number',
    file: 'src/ingress/access.ts',
    edits: [['if (settings.msisdn.length > 0 && !settings', 'if (settings.msisdn.length < 0 && !settings']],
    noticedBy: [by('test/ingress/access.test.ts', 'hold dialogues of their own, of their numbers and services')],
  },
  {
    name: 'a signed request is good as often as it comes',
    file: 'src/ingress/signature.ts',
    edits: [[`if (inSlot.has(signature)) return 'replay'`, 'void inSlot']],
    noticedBy: [by('test/ingress/signature.test.ts', 'is good once, within five minutes, and as it was signed')],
  },
  {
    name: 'idle connections close an HTTP server to others',
    file: 'src/base/http/connections.ts',
    edits: [['const longest = idle.next()!', 'const longest = socket']],
    noticedBy: [
      by(
        'test/base/http/connections.test.ts',
        'that are only held open keep nobody out: the one that has been idle for longest goes',
      ),
    ],
  },
  {
    name: 'an export is handed out before it is written down',
    file: 'src/cli/privacy.ts',
    edits: [
      [`    await audit('subscriber exported', { dialogues: found.dialogues.length, rows })\n`, ''],
      [
        '    say(JSON.stringify(found, null, 2))\n',
        `    say(JSON.stringify(found, null, 2))\n    await audit('subscriber exported', { dialogues: found.dialogues.length, rows })\n`,
      ],
    ],
    noticedBy: [by('test/cli/erase.test.ts', 'writes down that it was exported, before it hands it out')],
  },
  {
    name: 'unfinished long SMS of one subscriber are not bounded in octets',
    file: 'src/sms/inbox/parts.ts',
    edits: [
      ['    limits.octetsMax - octetsOf(grown),\n', '    Infinity,\n'],
      ['if (octetsOf(grown) > limits.octetsMax) {', 'if (octetsOf(grown) < 0) {'],
    ],
    noticedBy: [
      by(
        'test/sms/inbox/parts.test.ts',
        'are bounded in octets, whatever parts and texts there are: what was handled goes first, then the oldest',
      ),
    ],
  },
  {
    name: 'the write that ends a dialogue keeps no record of it',
    file: 'src/store/dialogues.ts',
    edits: [['records: records && shelf?.stored(slot, records),', 'records: undefined,']],
    noticedBy: [
      by('test/store/journal/memory.test.ts', 'wait until they were collected, and no longer; twice is the same'),
    ],
  },
  {
    name: 'a call detail record that Postgres did not take is dropped',
    file: 'src/records/collector.ts',
    edits: [
      [
        '      await this.#write(some, areNew)\n      this.#pending.splice(0, some.length)\n',
        '      this.#pending.splice(0, some.length)\n      await this.#write(some, areNew)\n',
      ],
      [
        "    failpoint('cdr-written')\n    await this.#deps.shelf?.remove(some.flatMap(({ at }) => at ?? []))\n",
        "    failpoint('cdr-written')\n",
      ],
      [
        '    const records = some.map(({ record }) => record)\n',
        '    const records = some.map(({ record }) => record)\n    await this.#deps.shelf?.remove(some.flatMap(({ at }) => at ?? []))\n',
      ],
    ],
    noticedBy: [
      by('test/records/collector.test.ts', 'keeps all while Postgres is away, in the store too, and goes on with it'),
    ],
  },
  {
    name: 'what a daemon may have written before a lost answer is taken for new',
    file: 'src/records/collector.ts',
    edits: [['const areNew = !this.#inDoubt\n', 'const areNew = true\n']],
    noticedBy: [
      by(
        'test/records/collector.test.ts',
        'says that records are new where nobody else can have written them, and not after a failure',
      ),
    ],
  },
  {
    name: 'a row that COPY refuses is not written',
    file: 'src/records/rows.ts',
    edits: [['if (!(error instanceof NotCopied)) throw error\n', 'if (error) throw error\n']],
    noticedBy: [
      {
        tests: ['test/records/copy-rows.test.ts'],
        only: 'are counted once where another daemon wrote some of them, and where they come twice',
        postgres: true,
      },
    ],
  },
  {
    name: 'a file for mediation is not written again where its daemon died',
    file: 'src/records/file-rows.ts',
    edits: [
      [
        'FROM mediation_file WHERE written_at IS NULL ORDER BY',
        'FROM mediation_file WHERE written_at IS NULL AND rows < 0 ORDER BY',
      ],
    ],
    noticedBy: [
      {
        tests: ['test/records/files.test.ts'],
        only: 'are written again, the same, where the daemon died between the cut and the file, or before it said so',
        postgres: true,
      },
    ],
  },
  {
    name: 'the lock of a PIN is always as short as the first',
    file: 'src/services/pin/module.ts',
    edits: [['lockMs * 2 ** (times - 1))', 'lockMs * times ** 0)']],
    noticedBy: [
      {
        tests: ['test/services/pin.test.ts'],
        only: 'are locked twice as long each time in a row, up to a limit; a right one begins again',
        postgres: true,
      },
    ],
  },
]

function by(test: string, only: string): Nearest & { only: string } {
  return { tests: [test], only }
}

/** On the real Redis. */
function onRedis(test: string, only: string): Nearest & { only: string } {
  return { tests: [test], only, redis: true }
}

/** On the real Postgres. */
function sms(name: string, only: string): Nearest & { only: string } {
  return { tests: [`test/sms/outbox/${name}.test.ts`], only, postgres: true }
}

/** The file with the defect in it. Throws if the place of an edit is gone, or is more than one. */
export function planted({ name, file, edits }: PlantedDefect): Mutant {
  const original = readFileSync(join(packageRoot, file), 'utf8')
  let source = original
  for (const [was, put] of edits) {
    const places = source.split(was).length - 1
    if (places !== 1) throw new Error(`${file} has ${places} times, not once: ${was.trim()} (to plant: ${name})`)
    source = source.replace(was, () => put)
  }
  const [first] = edits
  const line = original.slice(0, original.indexOf(first![0])).split('\n').length
  return { file, line, text: first![0].trim(), what: name, source }
}
