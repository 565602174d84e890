/** The report of `check`: as lines for people, as JSON for scripts, as SARIF 2.1.0 for the pages of code hosts. */
import { packageVersion, sentence, type Problem } from '../../base/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import type { Walked } from '../../flow/explore/index.ts'

export interface CheckedFlow {
  /** The path without `.yaml`; of a part with it. */
  file: string
  isPart?: true
  /** Absent: it has errors and was not compiled. */
  revision?: string
  languages?: readonly string[]
  problems: FlowProblem[]
  /** How far it was walked. */
  walked?: Walked | undefined
  /** What was assumed where nobody says. */
  assumed?: readonly string[]
}

export interface CheckReport {
  flows: readonly CheckedFlow[]
  /** Of the settings. */
  settings: readonly FlowProblem[]
  /** Warnings count as errors. */
  strict: boolean
}

/** The lines to print, and whether the check has failed. */
export function reportAs(form: 'text' | 'json' | 'sarif', report: CheckReport): { lines: string[]; failed: boolean } {
  const all = [...report.flows.flatMap(({ problems }) => problems), ...report.settings]
  const errors = all.filter(({ severity }) => severity === 'error').length
  const warnings = all.filter(({ severity, accepted }) => severity === 'warning' && accepted === undefined).length
  const write: (report: CheckReport, counts: Counts) => string[] = { text: linesOf, json: jsonOf, sarif: sarifOf }[form]
  return { lines: write(report, { errors, warnings }), failed: errors > 0 || (report.strict && warnings > 0) }
}

interface Counts {
  errors: number
  warnings: number
}

const counted = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`

function linesOf({ flows, settings, strict }: CheckReport, { errors, warnings }: Counts): string[] {
  const lines = flows.flatMap(flowLines)
  for (const problem of settings) lines.push(problemLine(problem))
  const whole = flows.filter(({ isPart }) => !isPart).length
  const last = `${counted(whole, 'flow')}, ${counted(errors, 'error')}`
  return [...lines, strict ? `${last}, ${counted(warnings, 'warning')}` : last]
}

function flowLines({ file, isPart, revision, languages = [], problems, walked, assumed = [] }: CheckedFlow): string[] {
  const wrong = problems.filter(({ severity }) => severity === 'error').length
  const head = wrong ? counted(wrong, 'error') : `good, ${revision}, ${languages.join(' ')}`
  const shown = problems.filter(({ accepted }) => accepted === undefined)
  const accepted = problems.length - shown.length
  return [
    ...(isPart ? [] : [`${file}: ${head}`]),
    ...(walked ? [`  walked: ${walkedWords(walked)}`] : []),
    ...assumed.map((words) => `  assumed: ${words}`),
    ...(accepted > 0 ? [`  accepted: ${counted(accepted, 'warning')}, as the file says`] : []),
    ...shown.flatMap((problem) => [
      problemLine(problem),
      ...(problem.shown === undefined ? [] : [`      ${problem.shown}`]),
    ]),
  ]
}

export function walkedWords({ screens, all, pages, ways, languages, longest }: Walked): string {
  const how = longest ? ', with usual and with the longest answers' : ''
  return `${screens} of ${all} screens, ${counted(pages, 'page')}, ${counted(ways, 'way')} in ${counted(languages, 'language')}${how}`
}

function problemLine(problem: FlowProblem): string {
  const { severity, rule } = problem
  if (severity === 'error') return sentence(problem)
  const { excerpt, ...rest } = problem
  const line = sentence({ ...rest, what: `warning: ${problem.what}` })
  const named = rule === undefined ? line : `${line} [${rule}]`
  return excerpt === undefined ? named : `${named}\n${excerpt.replace(/^/gm, '      ')}`
}

/** `flows/bank.yaml:12:7` in its parts. */
export function placeOf({ where }: Problem): { file: string; line?: number; column?: number } {
  const [, file, line, column] = /^(.*?):(\d+)(?::(\d+))?$/.exec(where) ?? []
  if (file === undefined) return { file: where }
  return { file, line: Number(line), ...(column === undefined ? {} : { column: Number(column) }) }
}

function jsonOf({ flows, settings, strict }: CheckReport, counts: Counts): string[] {
  const problem = (one: FlowProblem) => {
    const { severity, rule, what, remedy, shown, accepted } = one
    return { severity, rule, ...placeOf(one), what, remedy, shown, accepted }
  }
  const shown = flows.map(({ file, isPart, revision, languages, problems, walked, assumed }) => ({
    file,
    ...(isPart ? { part: true } : {}),
    revision,
    languages,
    problems: problems.map(problem),
    walked,
    assumed,
  }))
  return [JSON.stringify({ version: 1, strict, ...counts, flows: shown, settings: settings.map(problem) }, null, 2)]
}

function sarifOf({ flows, settings }: CheckReport): string[] {
  const all = [...flows.flatMap(({ problems }) => problems), ...settings]
  const rules = [...new Set(all.map(({ rule = 'check' }) => rule))].toSorted()
  const tool = {
    driver: {
      name: 'ussd-connector check',
      version: packageVersion(),
      rules: rules.map((id) => ({ id })),
    },
  }
  const results = all.map((problem) => {
    const { file, line = 1, column } = placeOf(problem)
    const region = { startLine: line, ...(column === undefined ? {} : { startColumn: column }) }
    const uri = file.replaceAll('\\', '/').replace(/^\.\//, '')
    return {
      ruleId: problem.rule ?? 'check',
      level: problem.severity,
      message: { text: saidOf(problem) },
      locations: [{ physicalLocation: { artifactLocation: { uri }, region } }],
      ...(problem.accepted === undefined
        ? {}
        : { suppressions: [{ kind: 'inSource', justification: problem.accepted }] }),
    }
  })
  const schema = 'https://json.schemastore.org/sarif-2.1.0.json'
  return [JSON.stringify({ $schema: schema, version: '2.1.0', runs: [{ tool, results }] }, null, 2)]
}

function saidOf({ what, remedy, shown }: FlowProblem): string {
  return `${what}${remedy ? ` (${remedy})` : ''}${shown === undefined ? '' : `\n${shown}`}`
}
