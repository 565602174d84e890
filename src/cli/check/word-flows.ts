/** What `check --config` says of a flow that a word by SMS starts: it must end without a question and change nothing. */
import type { Settings } from '../../config/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import { asks, kindOf, reachable } from '../../flow/language/index.ts'
import type { ReadFlow } from '../../flow/read/index.ts'

export function wordProblems({ definition, at }: ReadFlow, { words }: Settings['sms']): FlowProblem[] {
  const [word] = Object.entries(words).find(([, { flow }]) => flow === definition.flow) ?? []
  if (word === undefined) return []
  return [...reachable(definition)].flatMap((name): FlowProblem[] => {
    const screen = definition.screens[name]
    if (!screen) return []
    const say = (what: string, remedy: string): FlowProblem => ({
      severity: 'error',
      where: at(['screens', name]),
      what: `screen '${name}' ${what}, but the word ${word} starts this flow by SMS`,
      remedy,
    })
    if (asks(screen)) return [say('asks', 'lead from the start to an end without a question, in a flow of its own')]
    if (!kindOf(screen).changes?.(screen)) return []
    return [say('changes something', 'let the subscriber dial for that: the sender of an SMS has confirmed nothing')]
  })
}
