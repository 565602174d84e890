/** All states that a dialogue goes through, not only the one in which it rests: they show which way it took. */
import {
  beginDialogue,
  stepDialogue,
  type DialogueEvent,
  type DialogueInput,
  type DialogueMachine,
  type Rested,
} from './dialogue.ts'

/** The states that one event leads through; the state in which it rests comes last. */
export function passedBy(machine: DialogueMachine, from: Rested, event: DialogueEvent): Rested[] {
  const states: Rested[] = []
  stepDialogue(machine, from, event, (state) => void states.push(state))
  return states
}

/** The states that a new dialogue passes. */
export function begunBy(machine: DialogueMachine, input: DialogueInput): Rested[] {
  const states: Rested[] = []
  beginDialogue(machine, input, (state) => void states.push(state))
  return states
}
