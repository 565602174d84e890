/** Ways from one screen to another: as a file has them, and compiled. */
import { z } from 'zod'
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import type { SayText } from '../text/index.ts'
import { name, text } from '../terms/index.ts'
import type { Env } from './plan.ts'

export const to = name.describe('The screen that comes next.')
export const notice = text.optional().describe('A line above the next screen.')
export const routeSchema = z
  .union([name, z.strictObject({ to, notice })])
  .meta({ title: 'screen, or `{ to, notice }`' })

export type Route = z.infer<typeof routeSchema>

/** A screen that another screen names, with the path of the key that names it. */
export interface Target {
  to: string
  path: (string | number)[]
}

/** The target at this key; none if the key is absent. */
export function target(route: Route | undefined, ...path: (string | number)[]): Target[] {
  if (route === undefined) return []
  return [typeof route === 'string' ? { to: route, path } : { to: route.to, path: [...path, 'to'] }]
}

/** Where an outcome leads, with the line above the next screen. */
export interface Way {
  to: string
  notice?: SayText | undefined
}

export function led(context: DialogueContext, way: Way): Move {
  return { to: way.to, context: way.notice ? { ...context, notice: way.notice({ context }) } : context }
}

export function wayOf(route: Route, env: Env): Way {
  if (typeof route === 'string') return { to: route }
  return { to: route.to, notice: route.notice === undefined ? undefined : env.text(route.notice) }
}
