/** Makes a failing plan small: what may be left out while it still fails is left out. */
import type { Fault, Plan } from './plan.ts'

export interface Shrunk {
  plan: Plan
  /** Histories that were played for it. */
  tries: number
}

/** Histories played for one plan at most: by then it is small, or will not be. */
const TRIES_MAX = 120

/** `fails`: whether a plan fails in the way that is looked for. The given one must. */
export async function shrink(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Shrunk> {
  let least = plan
  let tries = 0
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (tries >= TRIES_MAX) return false
    tries++
    if (!(await fails(smaller))) return false
    least = smaller
    return true
  }
  const lastMs = () => Math.max(1_000, ...least.faults.map((fault) => fault.atMs + 2_000))
  const shorter = () => ({ ...least, walkMs: Math.min(least.walkMs, lastMs()) })
  await attempt(shorter())
  await dropFaults()
  await attempt({
    ...least,
    daemons: 1,
    faults: least.faults.filter((fault) => !('daemon' in fault) || fault.daemon === 0),
  })
  while (least.walkers > 1 && (await attempt({ ...least, walkers: least.walkers - 1 })));
  await attempt(shorter())
  for (const i of least.faults.keys()) await simplify(i)
  await dropFaults()
  return { plan: least, tries }

  /** Halves, quarters … single faults. */
  async function dropFaults(): Promise<void> {
    for (let size = Math.ceil(least.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < least.faults.length;) {
        const rest = least.faults.filter((_, i) => i < from || i >= from + size)
        if (!(await attempt({ ...least, faults: rest }))) from += size
      }
    }
  }

  async function simplify(i: number): Promise<void> {
    const fault = least.faults[i]
    if (!fault || !('times' in fault) || fault.times <= 1) return
    await attempt({ ...least, faults: least.faults.with(i, { ...fault, times: 1 } as Fault) })
  }
}
