/**
 * A dialogue that we open: it is stored, its first screen is stored and shown, and it is dropped if the screen is not
 * shown.
 */
import type { DialogueRecord, DialogueStore, Held, Settled, Turned } from '../dialogue/index.ts'
import type { Line } from '../smpp/index.ts'
import type { UssdReply } from '../ussd/index.ts'
import { pushCode, replyIn } from './reply.ts'
import { showScreen, type ScreenDeps, type ScreenOutcome } from './screen.ts'
import type { PushWay } from './way.ts'

/** The part of a played turn that is shown. */
export type PlayedScreen = Pick<Turned, 'flow' | 'revision' | 'snapshot' | 'reply' | 'ended' | 'step'>

export interface OpeningDeps extends ScreenDeps {
  dialogues: DialogueStore
  mint: { token(): string }
  limits: { turnMs: number; leaseMs: number; confirmMs: number }
  /** Called when one of our dialogues ended with its first screen, or was refused. */
  finish(record: DialogueRecord): void
}

export interface PushedDialogue {
  flow: string
  epoch: string
  ttlMs: number
  /** Undefined: the flow no longer exists. */
  first(record: DialogueRecord): Promise<PlayedScreen | undefined>
}

export async function openDialogue(
  deps: OpeningDeps,
  { flow, epoch, ttlMs, first }: PushedDialogue,
  way: PushWay,
): Promise<ScreenOutcome> {
  const { dialogues, clock, limits } = deps
  const { line, key, path } = way
  const [token, nowMs] = [deps.mint.token(), clock.now()]
  // No number: the network may give the same number to this subscriber's next dialogue, and that begin would look like
  // a copy.
  const taken = await dialogues.open({
    key,
    network: '',
    code: pushCode(flow),
    line: line.name,
    link: '',
    returnPath: path,
    token,
    nowMs,
    epoch,
    answer: { kind: 'begin', text: '', step: null },
    leaseUntilMs: nowMs + limits.leaseMs + limits.turnMs,
  })
  if (taken.is !== 'opened') return { is: 'busy' }
  const said = await first(taken.record)
  const rested = said && (await rest(deps, taken, said, { line, token }))
  if (!rested) {
    await drop(deps, taken.record, 'failed')
    return { is: 'no-flow' }
  }
  if (said.ended) deps.finish({ ...taken.record, revision: said.revision, ended: said.ended })
  const told = await showScreen(deps, way, rested.reply, ttlMs)
  // A subscriber who has answered has seen the screen, whatever became of the response.
  const now = told.is === 'unknown' ? await dialogues.find(key) : null
  const is = now?.epoch === epoch && now.turn > 1 ? 'shown' : told.is
  if (is === 'shown') dialogues.confirm(rested)
  // Drop it also if the result is unknown: if the screen is shown after all, its answer gets a polite end.
  else await drop(deps, taken.record, told.status === undefined ? 'bind-lost' : 'refused')
  return { ...told, is, epoch }
}

/** Stores the first screen, and returns what is then shown. Undefined: another daemon has the dialogue by now. */
async function rest(
  { dialogues, clock }: OpeningDeps,
  { record, held }: { record: DialogueRecord; held: Held },
  said: PlayedScreen,
  { line, token }: { line: Line; token: string },
): Promise<(Settled & { reply: UssdReply }) | undefined> {
  const nowMs = clock.now()
  const reply = replyIn(record, said.reply)
  const { step } = line.dialect.write(reply, record.returnPath)
  const rested = await dialogues.rest({
    key: record.key,
    epoch: record.epoch,
    token,
    held,
    nowMs,
    revision: said.revision,
    snapshot: said.snapshot,
    reply: { ...reply, step: step ?? null, link: '' },
    ended: said.ended,
    step: said.step,
  })
  return rested ? { ...record, reply, touchedMs: nowMs, ended: said.ended } : undefined
}

async function drop(
  { dialogues, clock, finish }: OpeningDeps,
  record: DialogueRecord,
  reason: 'refused' | 'bind-lost' | 'failed',
): Promise<void> {
  const gone = await dialogues.drop(record.key, { epoch: record.epoch }, reason, clock.now())
  if (gone) finish(gone)
}
