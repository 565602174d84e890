/** What is due: turns of dead daemons, replies that nobody took, dialogues without an answer. */
import type { DialogueStore, Overdue, DialogueRecord } from '../dialogue/index.ts'
import type { Log, Metrics } from '../base/index.ts'
import { replyIn } from '../push/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { Delivery } from './delivery.ts'
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
  /** Told how many dialogues are open, as the store has them. */
  counted(open: number): void
  finish(record: DialogueRecord): void
}

/** Answers what deals with all that is due just now. */
export function createSweep(deps: SweepDeps): () => Promise<void> {
  const { dialogues, clock, log, metrics, limits, guarded } = deps
  return async () => {
    const open = await guarded('count', () => dialogues.count())
    if (open !== undefined) deps.counted(open)
    await deps.unopened.flush()
    const token = deps.mint.token()
    const due = await guarded('overdue', () =>
      dialogues.overdue(clock.now(), SWEEP_MAX, token, clock.now() + limits.leaseMs),
    )
    const dealt = Promise.all(
      (due ?? []).map((item) =>
        dealWith(deps, item).catch((error: unknown) => {
          metrics.count('bugs_total', { where: 'sweep' })
          log.error({ err: error, epoch: item.record.epoch }, 'the sweep failed for one dialogue')
        }),
      ),
    )
    // One turn that waits for a back end must not keep the others that fall due from being seen.
    await Promise.race([dealt, new Promise<void>((done) => clock.after(SWEEP_MS, done))])
  }
}

async function dealWith(deps: SweepDeps, item: Overdue): Promise<void> {
  const { dialogues, clock, metrics, turns, delivery, texts } = deps
  const { record } = item
  if (item.is === 'abandoned') {
    metrics.count('dialogue_takeovers_total', { kind: 'turn' })
    const isLate = isGivenUp(record, clock.now(), deps)
    const how = { token: item.token, held: item.held, lost: turns.lostOf(item.previous), isLate }
    return turns.play({ ...record, touchedMs: clock.now() }, how)
  }
  if (item.is === 'unconfirmed') {
    const withheld = deps.line(record.line)?.dialect.habits.submitResp === 'withheld'
    if (!withheld && !(await delivery.resend(record, undefined))) return undefined // it is given again
    return dialogues.confirm(record)
  }
  deps.finish(record)
  const line = deps.line(record.line)
  const reply = replyIn(record, { action: 'end', text: texts.expired })
  if (line) await delivery.say(reply, record.returnPath, line, undefined)
}
