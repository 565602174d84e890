/** Changed lines under trial, each beside the line that it replaces: one trial at a time for a line. */
import type { LineRefusal } from '../../admin/index.ts'
import { tryOut, type Verdict } from './replacement.ts'
import type { LinesDeps, Running } from './running.ts'

export interface Trying {
  next: Running
  isOff: boolean
  callOff(): void
  over: Promise<LineRefusal | undefined>
}

export interface Trials {
  of(name: string): Trying | undefined
  all(): Trying[]
  /** Cancels an earlier trial for that line first. */
  begin(name: string, next: Running): void
}

export interface TrialsDeps {
  running: ReadonlyMap<string, Running>
  leave(old: Running): Promise<void>
  /** Puts the new one in the old one's place. */
  take(old: Running, next: Running): void
  isStopping(): boolean
}

export function createTrials(deps: LinesDeps, lines: TrialsDeps): Trials {
  const { clock, log } = deps
  const { running, leave, isStopping } = lines
  const trials = new Map<string, Trying>()

  /** Resolves with why the line keeps its old settings, if it does and there is a reason. */
  async function decide(name: string, trying: Trying, before: Trying | undefined): Promise<LineRefusal | undefined> {
    await before?.over
    const old = running.get(name)
    if (!old || trying.isOff) return undefined
    const trial = tryOut(old, trying.next, {
      clock,
      log,
      leave: () => leave(old),
      isWanted: () => !isStopping() && !old.halted && running.get(name) === old,
    })
    trying.callOff = () => trial.callOff()
    return conclude(await trial.verdict, old, trying.next, deps, lines)
  }

  return {
    of: (name) => trials.get(name),
    all: () => [...trials.values()],
    begin(name, next) {
      const before = trials.get(name)
      before?.callOff()
      next.onTrial = true
      const trying: Trying = {
        next,
        isOff: false,
        callOff: () => (trying.isOff = true),
        over: Promise.resolve(undefined),
      }
      trying.over = decide(name, trying, before)
        .catch((error: unknown) => {
          log.error({ err: error, line: name }, 'a line could not be replaced')
          return undefined
        })
        .finally(() => {
          if (trials.get(name) === trying) trials.delete(name)
        })
      trials.set(name, trying)
    },
  }
}

/** Carries out the verdict: puts the new line in place, stops it, or puts the old settings back in force. */
async function conclude(
  verdict: Verdict,
  old: Running,
  next: Running,
  { settings, clock, log, metrics, onChange }: LinesDeps,
  { running, take, isStopping }: TrialsDeps,
): Promise<LineRefusal | undefined> {
  const { name } = next.settings
  const isWon = verdict.is === 'taken' || verdict.is === 'unproven'
  next.onTrial = false
  if (isWon && running.get(name) === old && !isStopping()) take(old, next)
  else if (isWon) await next.line.stop(clock.now())
  if (verdict.is === 'unproven') log.warn(verdict.refusal, 'the line is changed, but not bound yet')
  if (verdict.is !== 'refused') return undefined
  const at = settings.lines.indexOf(next.settings)
  if (at >= 0) settings.lines[at] = old.settings
  metrics.count('line_changes_total', { line: name, what: 'refused' })
  onChange?.(name, 'refused')
  log.error(verdict.refusal, 'the line cannot bind with its new settings: it goes on with the old ones')
  return verdict.refusal
}
