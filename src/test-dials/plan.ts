/** Which test dials the settings ask for: one for each line and service code. */
import { testDialDefaults, type Settings } from '../config/index.ts'
import { routeCode, type CodeRoute } from '../ussd/index.ts'

/** As in the settings (`testDials`). */
export type TestDialWish = Settings['testDials'][number]

/** One test dial: `line` and `service` are its labels. */
export interface PlannedDial {
  line: string
  /** What is dialled. */
  service: string
  wish: TestDialWish
}

export interface PlanOf {
  lines: readonly { name: string }[]
  services: readonly CodeRoute[]
}

export const dialKey = ({ line, service }: Pick<PlannedDial, 'line' | 'service'>) => `${line} ${service}`

/** Of two wishes for the same line and code, the one that names more counts. */
export function planDials(wishes: readonly TestDialWish[], { lines, services }: PlanOf): PlannedDial[] {
  const planned = new Map<string, PlannedDial>()
  const named = (wish: TestDialWish) => Number(wish.line !== undefined) + Number(wish.service !== undefined)
  for (const wish of wishes.toSorted((a, b) => named(b) - named(a))) {
    for (const { name: line } of lines) {
      if (wish.line !== undefined && wish.line !== line) continue
      for (const service of wish.service === undefined ? codesOn(services, line) : [wish.service]) {
        const one = { line, service, wish }
        if (!planned.has(dialKey(one))) planned.set(dialKey(one), one)
      }
    }
  }
  return [...planned.values()]
}

/** Codes that can be dialled as they are: not `*`. */
function codesOn(services: readonly CodeRoute[], line: string): string[] {
  const codes = new Set(services.map(({ code }) => code).filter((code) => code !== '*'))
  return [...codes].filter((code) => routeCode(services, code, line)?.route.code === code)
}

/** Test dials that somebody asks for now. What the settings do not describe is dialled with their defaults. */
export function askedDials(
  asked: { line?: string | undefined; service?: string | undefined },
  planned: readonly PlannedDial[],
  of: PlanOf,
): PlannedDial[] {
  const { line, service } = asked
  const wanted = (one: Pick<PlannedDial, 'line' | 'service'>) =>
    (line === undefined || one.line === line) && (service === undefined || one.service === service)
  const known = planned.filter(wanted)
  if (known.length > 0) return known
  return planDials([{ ...testDialDefaults, line, service }], of)
}
