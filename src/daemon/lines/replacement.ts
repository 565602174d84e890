/**
 * Replaces a line by its changed version. The new line is tried first, with one bind. The old one stays until the new
 * one is bound, and keeps serving if that fails. If the SMSC accepts no second bind, the old line closes, and binds
 * again if the new one is refused. The SMSC sees a wrong password at most twice.
 */
import type { LineRefusal } from '../../admin/index.ts'
import type { ConfiguredLine } from '../../config/index.ts'
import type { Log } from '../../base/index.ts'
import type { BindDown, Line } from '../../smpp/index.ts'
import type { Clock } from '../../ussd/index.ts'

export interface LineContender {
  settings: ConfiguredLine
  line: Line
  /** Runs at each change of the line's binds. */
  onBindState?: (() => void) | undefined
}

/**
 * taken: the new line serves · unproven: neither is bound, and the new one keeps trying · refused: the old one keeps
 * serving · called-off: the operator requested something else meanwhile, and the new line is stopped
 */
export type Verdict = { is: 'taken' | 'called-off' } | { is: 'unproven' | 'refused'; refusal: LineRefusal }

export interface Trial {
  readonly next: LineContender
  readonly verdict: Promise<Verdict>
  callOff(): void
}

export interface TrialDeps {
  clock: Clock
  log: Log
  /** Stops the old one in order: it answers its open requests first. */
  leave(old: LineContender): Promise<void>
  /** Whether the old line should still serve if the new one does not. */
  isWanted(old: LineContender): boolean
}

/** A line that has not bound by then will not bind: an SMSC that is up answers at once. */
const TRIAL_MS = 10_000

const SILENT: BindDown = {
  why: 'silent',
  detail: `no answer within ${TRIAL_MS / 1_000} s`,
  tries: 1,
  remedy: 'is this the SMPP port? If yes, the SMSC hangs: tell the operator',
}

export function tryOut(old: LineContender, next: LineContender, deps: TrialDeps): Trial {
  const { clock, log } = deps
  const name = next.settings.name
  const watch = watchBinds(next, clock)

  async function decide(): Promise<Verdict> {
    next.line.start()
    const beside = await watch.outcome(() => true)
    if (beside === 'bound') return { is: 'taken' }
    if (beside === 'called-off') return giveUp()
    // A working line is never given up for one that fails, and never for a wrong password.
    if (beside.why !== 'wrong-password' && !old.line.bound()) return { is: 'unproven', refusal: beside }
    if (!needsRoom(beside, old)) return giveUp(beside)
    await next.line.stop(clock.now())
    log.info(
      { line: name, why: beside.why, detail: beside.detail },
      'the old binds of a changed line make room for the new ones',
    )
    await deps.leave(old)
    if (watch.isCalledOff()) return giveUp()
    next.line.start()
    // Refused as already bound: the SMSC has not noticed yet that the old one left, and has not checked the password.
    const alone = await watch.outcome(({ why }) => why !== 'already-bound')
    if (alone === 'bound') return { is: 'taken' }
    return giveUp(alone === 'called-off' ? undefined : alone)
  }

  async function giveUp(refusal?: LineRefusal): Promise<Verdict> {
    await next.line.stop(clock.now())
    if (deps.isWanted(old)) old.line.start()
    return refusal ? { is: 'refused', refusal } : { is: 'called-off' }
  }

  return { next, verdict: decide(), callOff: watch.callOff }
}

/**
 * Whether the SMSC may accept the new bind after the old one is gone: it says so, closes the second connection, or does
 * not answer it.
 */
function needsRoom({ why, peer }: LineRefusal, old: LineContender): boolean {
  if (why === 'already-bound' || why === 'bind-failed' || why === 'bind-refused') return true
  return (why === 'connection-closed' || why === 'silent') && old.line.states().some((row) => row.peer === peer)
}

interface BindWatch {
  /** Bound, or why not. A reason that is not `final` may go away before the time is over. */
  outcome(final: (down: BindDown) => boolean): Promise<'bound' | 'called-off' | LineRefusal>
  callOff(): void
  isCalledOff(): boolean
}

/** Waits for the binds of a line that was started. */
function watchBinds(next: LineContender, clock: Clock): BindWatch {
  const { name, bind } = next.settings
  let calledOff = false
  let wake = (): void => undefined
  next.onBindState = () => wake()

  const woken = (untilMs: number) =>
    new Promise<void>((done) => {
      const cancel = clock.after(untilMs - clock.now(), done)
      wake = () => {
        cancel()
        done()
      }
    })

  return {
    async outcome(final) {
      const untilMs = clock.now() + TRIAL_MS
      for (;;) {
        const rows = next.line.states().slice(0, bind === 'pair' ? 2 : 1)
        if (rows.every(({ state }) => state === 'bound')) return 'bound'
        if (calledOff) return 'called-off'
        const isOver = clock.now() >= untilMs
        const failed = rows.find(({ state, down }) => down && (state === 'waiting' || state === 'standby'))
        if (isOver || (failed && final(failed.down!))) {
          return { line: name, peer: (failed ?? rows[0]!).peer, ...(failed?.down ?? SILENT) }
        }
        await woken(untilMs)
      }
    },
    callOff() {
      calledOff = true
      wake()
    },
    isCalledOff: () => calledOff,
  }
}

/** Outages of a line under trial are not logged one by one: the verdict reports them once. */
export function trialLog(log: Log, onTrial: () => boolean): Log {
  return {
    isLevelEnabled: (level) => log.isLevelEnabled?.(level) ?? true,
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log[onTrial() ? 'debug' : 'info'](fields, message),
    warn: (fields, message) => log[onTrial() ? 'debug' : 'warn'](fields, message),
    error: (fields, message) => log[onTrial() ? 'debug' : 'error'](fields, message),
  }
}
