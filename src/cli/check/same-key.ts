/**
 * Warns of a confirm on the key that led to it, on a line where nothing tells a copy of that key. `check --config` and
 * `doctor --config` show it: a flow alone does not say on which lines it serves.
 */
import { ProblemsError, sentence } from '../../base/index.ts'
import { loadSettings, type Settings } from '../../config/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import { profileDirs } from '../../daemon/index.ts'
import { sameKeyScreens } from '../../flow/explore/index.ts'
import { compileFlow, type Compilation } from '../../flow/load/index.ts'
import { flowNames, loadScreenTypes, sourceOf } from '../../flow/read/index.ts'
import { copiesConfirm, loadProfile } from '../../smpp/dialect/index.ts'

/** A line on which a copy of a key may confirm. */
interface RiskyLine {
  name: string
  dialect: string
  why: string
}

const REMEDY =
  'put the confirm on another key, use a dialect with a counter, or raise inbound.session.sameKeyMs of the dialect'

/** Of the lines on which services offer this flow. */
export function riskyLines({ lines, services, dialects }: Settings, flow: string): RiskyLine[] {
  const offers = services.filter((service) => service.flow === flow)
  return lines.flatMap(({ name, dialect }) => {
    if (!offers.some((service) => service.lines?.includes(name) ?? true)) return []
    const why = copiesConfirm(loadProfile(dialect, profileDirs(dialects)))
    return why === undefined ? [] : [{ name, dialect, why }]
  })
}

/** One warning for each line, however many screens of the flow are concerned. The flow must be valid. */
export function sameKeyWarnings(compilation: Compilation, lines: readonly RiskyLine[]): FlowProblem[] {
  if (lines.length === 0) return []
  const [first, ...more] = sameKeyScreens(compilation)
  if (!first) return []
  const { screen, key, behind } = first
  const others = more.length === 0 ? '' : `; ${more.length} more such screen${more.length === 1 ? '' : 's'}`
  return lines.map(({ name, dialect, why }) => {
    const reason = `the dialect ${dialect} ${why}, and ${key} on '${behind}' leads to '${screen}', where ${key} changes something`
    return {
      severity: 'warning',
      rule: 'same-key',
      where: compilation.read.at(['screens', screen]),
      what: `on line '${name}' a copy of the key ${key} may confirm: ${reason}${others}`,
      remedy: REMEDY,
    }
  })
}

/** The warnings of all flows that a line of the settings offers. `check` tells what else is wrong with a flow. */
export async function sameKeyWarningsOn(config: string, line: string): Promise<string[]> {
  const { settings } = loadSettings(config, process.env)
  const { dir, plugins } = settings.flows
  const types = await loadScreenTypes(plugins)
  const warnings: string[] = []
  for (const name of await flowNames(dir).catch(() => [])) {
    const risky = riskyLines(settings, name).filter((one) => one.name === line)
    if (risky.length === 0) continue
    try {
      const found = sameKeyWarnings(compileFlow(await sourceOf(dir, name), undefined, types), risky)
      warnings.push(...found.map((one) => sentence({ ...one, what: `warning: ${one.what}` })))
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error
    }
  }
  return warnings
}
