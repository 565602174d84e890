/**
 * The states that a dialogue goes through, and not only where it rests: for whoever wants to know which way it took.
 */
import { getInitialMicrosteps, getMicrosteps } from 'xstate'
import type { DialogueEvent, DialogueInput, DialogueMachine, Rested } from './dialogue.ts'

/** Those that one event leads through, the one that it rests in last. */
export function passedBy(machine: DialogueMachine, { value, context }: Rested, event: DialogueEvent): Rested[] {
  const before = machine.resolveState({ value: value as never, context })
  return getMicrosteps(machine, before, event).map(([{ value: state, context: there }]) => ({
    value: String(state),
    context: there,
  }))
}

/** Those of a new dialogue. */
export function begunBy(machine: DialogueMachine, input: DialogueInput): Rested[] {
  return getInitialMicrosteps(machine, input).map(([{ value, context }]) => ({ value: String(value), context }))
}
