/** What talks have covered of a flow: its screens, choices and refusals, and all its transitions. */
import type { Compilation } from '../load/index.ts'
import { coverageItems, itemsDone, screenItem, transitionsOf } from './transitions.ts'
import type { CompiledFlow } from '../engine/index.ts'

export interface Coverage {
  /**
   * Play this flow in place of the original: it records what is covered. (It does not see answers dialled behind a
   * code.)
   */
  flow: CompiledFlow
  /** How many coverage items are covered, how many there are, and the missing ones in the order of the file. */
  report: () => Walked
  /** The same for its transitions. */
  transitions: () => Walked
}

interface Walked {
  walked: number
  all: number
  missing: string[]
}

export function coverageOf(compilation: Compilation): Coverage {
  const { flow, definition } = compilation
  const transitions = transitionsOf(compilation)
  const done = itemsDone(definition)
  const walked = new Set<string>()
  const taken = new Set<string>()
  const all = Object.entries(definition.screens).flatMap(([name, screen]) => coverageItems(name, screen))
  return {
    flow: {
      ...flow,
      begin: (input) => {
        for (const name of transitions.begun(input)) taken.add(name)
        return flow.begin(input)
      },
      want: (snapshot) => {
        walked.add(screenItem(snapshot.value))
        return flow.want(snapshot)
      },
      step: (snapshot, event) => {
        const item = done(snapshot, event)
        if (item !== undefined) walked.add(item)
        for (const name of transitions.taken(snapshot, event)) taken.add(name)
        return flow.step(snapshot, event)
      },
    },
    report: () => walkedOf(all, walked),
    transitions: () =>
      walkedOf(
        transitions.all.map(({ name }) => name),
        taken,
      ),
  }
}

function walkedOf(all: readonly string[], walked: ReadonlySet<string>): Walked {
  const missing = all.filter((thing) => !walked.has(thing))
  return { all: all.length, walked: all.length - missing.length, missing }
}
