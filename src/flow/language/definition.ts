/** A flow as it is after reading, and what can be asked about its screens. */
import type { z } from 'zod'
import { oncePer } from '../../base/index.ts'
import {
  type CallScreen,
  type InputScreen,
  kindOf,
  type ScreenDefinition,
  writtenKindOf,
  type WrittenScreen,
} from '../screens/index.ts'
import { tellUses, type Uses } from '../plan/index.ts'
import type { Scalar } from '../expression/index.ts'
import type { CATALOGUE, FLOW } from './schema.ts'

export type Catalogue = z.infer<typeof CATALOGUE>

export type FlowDefinition = Omit<z.infer<typeof FLOW>, 'screens' | 'include'> & {
  screens: Record<string, ScreenDefinition>
  /** Translations, by language and text. */
  catalogues: Record<string, Record<string, string>>
}

interface Written {
  screens: Record<string, WrittenScreen>
}

/** The screens that a screen names. Each has the path of the key that names it. */
export function targetsOf(screen: WrittenScreen): { to: string; path: (string | number)[] }[] {
  return writtenKindOf(screen).targets(screen)
}

/** Every text, condition and value of a flow, with its place in the file. */
export const usesOf = oncePer((definition: Written): Uses => {
  const uses: Uses = { texts: [], conditions: [], values: [] }
  for (const [name, screen] of Object.entries(definition.screens))
    writtenKindOf(screen).uses(screen, tellUses(name, uses))
  return uses
})

/** The values to which each of `vars` is set, on all screens. */
export const setIn = oncePer((definition: Written): ReadonlyMap<string, Scalar[]> => {
  const set = new Map<string, Scalar[]>()
  for (const screen of Object.values(definition.screens)) {
    for (const values of writtenKindOf(screen).vars?.(screen) ?? []) {
      for (const [name, value] of Object.entries(values ?? {})) set.set(name, [...(set.get(name) ?? []), value])
    }
  }
  return set
})

/** `answers.amount`: where a screen keeps its answer. Undefined: it keeps nothing. */
export function keptAt(name: string, screen: ScreenDefinition): string | undefined {
  const root = kindOf(screen).keeps?.(screen)
  return root && `${root}.${'as' in screen && screen.as !== undefined ? screen.as : name}`
}

/** The screens that keep their answer at this path, such as `data.balance`. */
export function keepersAt(path: string, definition: FlowDefinition): readonly ScreenDefinition[] {
  return keepers(definition).get(path) ?? []
}

const keepers = oncePer(({ screens }: FlowDefinition): ReadonlyMap<string, ScreenDefinition[]> => {
  const all = new Map<string, ScreenDefinition[]>()
  for (const [name, screen] of Object.entries(screens)) {
    const path = keptAt(name, screen)
    if (path !== undefined) all.set(path, [...(all.get(path) ?? []), screen])
  }
  return all
})

/** Whether a screen keeps its answer under a name. */
export function keepsUnder(screen: WrittenScreen): boolean {
  return writtenKindOf(screen).keeps?.(screen) !== undefined
}

/** The call that a screen makes. */
export function callOf(screen: ScreenDefinition | undefined): CallScreen | undefined {
  return screen && kindOf(screen).call?.(screen)
}

/** What a subscriber types on a screen, by which rules. */
export function inputOf(screen: ScreenDefinition): InputScreen | undefined {
  return kindOf(screen).input?.(screen)
}

/** The path of the rows that a list shows or a branch goes over; undefined for other screens. */
export function rowsFrom(screen: ScreenDefinition): string | undefined {
  return kindOf(screen).rows?.(screen)?.from
}

/** Whether a screen asks the subscriber. */
export function asks(screen: ScreenDefinition): boolean {
  return kindOf(screen).does === 'ask'
}

/** Whether the subscriber sees the screen. No secret outlives such a screen. */
export function isSeen(screen: ScreenDefinition): boolean {
  return ['ask', 'tell'].includes(kindOf(screen).does)
}

/** The paths of answers that are secret, such as `answers.pin`. */
export function secretsOf(definition: FlowDefinition): Set<string> {
  const inputs = Object.entries(definition.screens).flatMap(([name, screen]) =>
    'secret' in screen && screen.secret ? (keptAt(name, screen) ?? []) : [],
  )
  return new Set(inputs)
}
