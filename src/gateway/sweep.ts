/** Handles what is due: turns of dead daemons, replies that were not accepted, dialogues without an answer. */
import type { DialogueStore, Overdue, DialogueRecord } from '../dialogue/index.ts'
import { dialogueInLog, type Log, type Metrics } from '../base/index.ts'
import { replyIn } from '../push/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { Delivery } from './delivery.ts'
import { isUnsettled } from './reply.ts'
import { isGivenUp, SWEEP_MAX, SWEEP_MS, type GatewayLimits, type GuardStore } from './steps.ts'
import type { Turns } from './turns.ts'
import type { Unopened } from './unopened.ts'

export interface SweepDeps {
  dialogues: Pick<DialogueStore, 'count' | 'overdue' | 'confirm'>
  line(name: string): Line | undefined
  clock: Clock
  mint: { token(): string }
  log: Log
  metrics: Metrics
  limits: GatewayLimits
  texts: Record<'expired', string>
  guarded: GuardStore
  turns: Pick<Turns, 'play' | 'lostOf'>
  delivery: Pick<Delivery, 'resend' | 'say'>
  unopened: Pick<Unopened, 'flush'>
  /** Gets how many dialogues are open, according to the store. */
  counted(open: number): void
  finish(record: DialogueRecord): void
}

/**
 * Every fourth sweep counts the open dialogues in the store. In between, the daemon adds what it opened and
 * subtracts what it ended.
 */
export const COUNT_EVERY = 4

/** Returns a function that handles everything that is due. */
export function createSweep(deps: SweepDeps): () => Promise<void> {
  const { dialogues, clock, log, metrics, limits, guarded, texts } = deps
  const farewell = (record: DialogueRecord) => replyIn(record, { action: 'end', text: texts.expired })
  let sweeps = 0
  return async () => {
    const overdue = async () => {
      await deps.unopened.flush()
      const token = deps.mint.token()
      const nowMs = clock.now()
      return guarded('overdue', () => dialogues.overdue(nowMs, SWEEP_MAX, token, nowMs + limits.leaseMs, farewell))
    }
    const count = async () => (sweeps++ % COUNT_EVERY ? undefined : guarded('count', () => dialogues.count()))
    // Both at once: if nothing is due, a sweep is one round trip.
    const [open, due] = await Promise.all([count(), overdue()])
    if (open !== undefined) deps.counted(open)
    if (!due?.length) return
    const dealt = Promise.all(
      due.map((item) =>
        dealWith(deps, item).catch((error: unknown) => {
          metrics.count('bugs_total', { where: 'sweep' })
          log.error({ err: error, ...dialogueInLog(item.record) }, 'the sweep failed for one dialogue')
        }),
      ),
    )
    // A turn that waits for a back end must not keep other due dialogues from being handled.
    let cancel = (): void => undefined
    await Promise.race([dealt, new Promise<void>((done) => (cancel = clock.after(SWEEP_MS, done)))])
    cancel()
  }
}

async function dealWith(deps: SweepDeps, item: Overdue): Promise<void> {
  const { dialogues, clock, metrics, turns, delivery } = deps
  const { record } = item
  if (item.is === 'abandoned') {
    metrics.count('dialogue_takeovers_total', { kind: 'turn' })
    const isLate = isGivenUp(record, clock.now(), deps)
    const how = { token: item.token, held: item.held, lost: turns.lostOf(item.previous), isLate }
    return turns.play({ ...record, touchedMs: clock.now() }, how)
  }
  if (item.is === 'unconfirmed') {
    const withheld = deps.line(record.line)?.dialect.habits.submitResp === 'withheld'
    if (!withheld && (await delivery.resend(record, undefined)) === 'later') return undefined // it will be returned again
    return dialogues.confirm(record)
  }
  deps.finish(record)
  const line = deps.line(record.line)
  const sent = line && (await delivery.say(record.reply!, record.returnPath, line, undefined))
  if (sent && !isUnsettled(sent)) dialogues.confirm(record)
}
