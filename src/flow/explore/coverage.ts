/** What of a flow has been walked by talks: its screens, choices and refusals, and all its transitions. */
import type { Compilation } from '../load/index.ts'
import { coverageItems, itemsDone, screenItem, transitionsOf } from './transitions.ts'
import type { CompiledFlow } from '../engine/index.ts'

export interface Coverage {
  /**
   * The flow, to be played in its place: it takes down what is walked. (Answers dialled behind a code are not seen.)
   */
  flow: CompiledFlow
  /** Things walked, of all that there are; and those that were not, in the order of the file. */
  report: () => Walked
  /** The same of its transitions. */
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
