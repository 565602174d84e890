/** The list of all kinds of screens. A new kind gets a file and a line here. */
import type { z } from 'zod'
import { branchKind } from './branch.ts'
import { callKind } from './call.ts'
import { endKind } from './end.ts'
import { exitKind } from './exit.ts'
import { formScreen } from './form.ts'
import { inputKind } from './input.ts'
import type { ScreenKind, WrittenKind } from './kind.ts'
import { languageScreen } from './language.ts'
import { listKind } from './list.ts'
import { menuKind } from './menu.ts'
import { notifyKind } from './notify.ts'
import { flowKind, type FlowScreen, returnKind, type ReturnScreen } from './part.ts'
import type { ScreenType, ScreenTypes } from './screen-type.ts'
import { setKind } from './set.ts'
import { cancelScreen, smsScreen } from './sms.ts'

/**
 * In the order of the reference. The deciding key is looked for in the same order: an end may have the key exit. A
 * screen is of the kind whose key it has.
 */
const ALL = {
  menu: menuKind,
  list: listKind,
  input: inputKind,
  language: languageScreen,
  form: formScreen,
  branch: branchKind,
  set: setKind,
  call: callKind,
  sms: smsScreen,
  cancel: cancelScreen,
  notify: notifyKind,
  end: endKind,
  flow: flowKind,
  return: returnKind,
  exit: exitKind,
} as const

type All = typeof ALL
export type Kind = keyof All
/** Kinds that flows have after reading. */
type BasicKind = { [K in Kind]: All[K] extends { plan: unknown } ? K : never }[Kind]

export type ScreenDefinition = Parameters<All[BasicKind]['plan']>[0]
/** A screen as a file has it. */
export type WrittenScreen = ScreenDefinition | FlowScreen | ReturnScreen

export const KINDS = Object.keys(ALL) as Kind[]
export const BASIC_KINDS = KINDS.filter((kind) => 'plan' in ALL[kind])

/** The schema of each kind of screen, with the meaning of each key. */
export const SCREENS = Object.fromEntries(KINDS.map((kind) => [kind, ALL[kind].schema])) as {
  [K in Kind]: All[K]['schema'] & z.ZodObject
}

/** The built-in types. */
export const SCREEN_TYPES: ScreenTypes = new Map(
  Object.values(ALL).flatMap((kind): [string, ScreenType][] => ('expand' in kind ? [[kind.name, kind]] : [])),
)

/** The kind of this screen. */
export function kindOf(screen: ScreenDefinition): ScreenKind<ScreenDefinition> {
  return ALL[screen.kind]
}

/** The kind of a screen that may still call a part or return from it. */
export function writtenKindOf(screen: WrittenScreen): WrittenKind<WrittenScreen> {
  return ALL[screen.kind]
}
