/**
 * How many dialogues each revision of a flow has: counted now and then by one daemon of those that share a store, never
 * because somebody asks. The heartbeat takes the count to the others.
 */
import { CENSUS_MAX, type InstanceRow, type OpenCount, type OpenCounted } from '../../admin/index.ts'
import { monotonicClock, type Log } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Stores } from '../stores/index.ts'

export interface OpenDialoguesDeps {
  clock: Clock
  log: Log
  dialogues: Pick<Stores['dialogues'], 'census'>
  /** The daemons on the same database, as last read. */
  fleet: { name: string; known(): Pick<InstanceRow, 'name' | 'isGone' | 'ageMs' | 'state'>[] }
  /** False: each daemon has dialogues of its own, and counts them itself. */
  isShared: boolean
}

export interface OpenDialogues {
  /** What this daemon counted itself, for the others. */
  own(): OpenCounted | undefined
  /** Of all dialogues, as counted last. Undefined: nobody has counted yet. */
  read(): OpenCount | undefined
  start(): void
  stop(): Promise<void>
}

/** A start has more urgent work. */
const FIRST_MS = 5_000
/** A person who looks again after a recall sees dialogues go. */
const EVERY_MS = 15_000
/** A count reads all dialogues: so many times as long as it took, the next one waits. That is 2 % of the time. */
const REST_TIMES = 50
/** Of one daemon, the most frequent: its row is read by all others every five seconds. */
const TOLD_MAX = 200

export function createOpenDialogues(deps: OpenDialoguesDeps): OpenDialogues {
  const { clock, log, dialogues, fleet, isShared } = deps
  const now = monotonicClock(clock)
  let counted: (Omit<OpenCounted, 'ageMs'> & { atMs: number }) | undefined
  let cancel = (): void => undefined
  let counting = Promise.resolve()
  let isStopped = false

  /** Another daemon counts the same store. */
  function isOthers(): boolean {
    const first = fleet.known().find(({ isGone }) => !isGone)
    return isShared && first !== undefined && first.name !== fleet.name
  }

  /** Never rejects. Resolves with how long it took. */
  async function count(): Promise<number> {
    if (isOthers()) {
      counted = undefined
      return 0
    }
    const startedMs = now()
    try {
      const { open, whole } = await dialogues.census(CENSUS_MAX)
      const most = [...open].toSorted((a, b) => b[1] - a[1])
      counted = {
        atMs: now(),
        isWhole: whole && most.length <= TOLD_MAX,
        open: Object.fromEntries(most.slice(0, TOLD_MAX)),
      }
    } catch (error) {
      log.debug({ err: error }, 'dialogues were not counted: the last count stays')
    }
    return now() - startedMs
  }

  function again(ms: number): void {
    cancel = clock.after(ms, () => {
      counting = count().then((tookMs) => (isStopped ? undefined : again(Math.max(EVERY_MS, tookMs * REST_TIMES))))
    })
  }

  function own(): OpenCounted | undefined {
    if (!counted) return undefined
    const { atMs, ...rest } = counted
    return { ...rest, ageMs: Math.max(0, Math.round(now() - atMs)) }
  }

  return {
    own,
    read: () => allCounted(deps, own()),
    start: () => again(FIRST_MS),
    async stop() {
      isStopped = true
      cancel()
      await counting
    },
  }
}

function allCounted({ fleet, isShared }: OpenDialoguesDeps, own: OpenCounted | undefined): OpenCount | undefined {
  const others = fleet.known().flatMap(({ name, ageMs, isGone, state }) => {
    const told = name === fleet.name || (!isShared && isGone) ? undefined : state.open
    return told ? [{ ...told, ageMs: told.ageMs + ageMs }] : []
  })
  const all = own ? [own, ...others] : others
  return isShared ? newest(all) : together(all)
}

function countOf({ open, ...rest }: OpenCounted): OpenCount {
  return { ...rest, open: new Map(Object.entries(open)) }
}

function newest(all: readonly OpenCounted[]): OpenCount | undefined {
  const [one] = all.toSorted((a, b) => a.ageMs - b.ageMs)
  return one && countOf(one)
}

/** Each has dialogues that no other has. As old as the oldest. */
function together(all: readonly OpenCounted[]): OpenCount | undefined {
  if (all.length === 0) return undefined
  const open = new Map<string, number>()
  for (const one of all)
    for (const [revision, count] of Object.entries(one.open)) open.set(revision, (open.get(revision) ?? 0) + count)
  return { open, isWhole: all.every(({ isWhole }) => isWhole), ageMs: Math.max(...all.map(({ ageMs }) => ageMs)) }
}
