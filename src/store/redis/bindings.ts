/**
 * What the seals of a dialogue's next turn are bound to, as far as this daemon has seen it: a guess, which the scripts
 * check.
 */
import { bindingOf, type Binding } from './record.ts'

export interface Bindings {
  of(name: string): Binding | undefined
  /** From a record as it stands now. */
  learn(name: string, stored: string): void
  forget(name: string): void
}

/** Dialogues that are remembered, about 200 octets each. One that was forgotten costs a look at Redis more. */
const BINDINGS_MAX = 20_000

export function createBindings(): Bindings {
  const held = new Map<string, Binding>()
  return {
    of: (name) => held.get(name),
    learn(name, stored) {
      held.delete(name)
      held.set(name, bindingOf(stored))
      if (held.size > BINDINGS_MAX) held.delete(held.keys().next().value as string)
    },
    forget: (name) => void held.delete(name),
  }
}
