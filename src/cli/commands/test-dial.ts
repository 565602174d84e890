/** `test-dial`: whether somebody can dial a code on a line now. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import type { TestDialRow } from '../../test-dials/index.ts'
import { asJson, askAdmin, unanswered, type AdminOptions } from '../admin.ts'
import { coloured, tableOf } from '../table.ts'

export function registerTestDial(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('test-dial [line] [code]')))
    .description(
      'dials a code on a line as a subscriber would, up to the first screen: nothing is changed, billed or counted; ' +
        'exit code 0: all are answered, 1: some are not, 2: there is nothing to dial here, 3: no answer of the daemon',
    )
    .option('--instance <name>', 'the daemon that dials, or all (default: for each line, one that has it)')
    .option('--last', 'dial nothing: what the schedule (testDials) found last')
    .action(async (line: string | undefined, code: string | undefined, options: TestDialOptions) => {
      process.exitCode = await testDialCommand({ line, code }, options, say)
    })
}

export interface TestDialOptions extends AdminOptions {
  last?: boolean
  instance?: string
}

interface DialsTold {
  /** `instance`: the daemon that dialled. An earlier one does not say. */
  dials: (TestDialRow & { instance?: string })[]
  /** Of daemons that did not dial. */
  problems?: string[]
}

const NOTHING = 2
const NO_ANSWER = 3

/** Resolves with the exit code. */
export async function testDialCommand(
  { line, code }: { line?: string | undefined; code?: string | undefined },
  options: TestDialOptions,
  say: Say,
): Promise<number> {
  try {
    const { dials, problems = [] } = options.last
      ? await askAdmin<DialsTold>(options, 'GET', '/v1/test-dials')
      : await askAdmin<DialsTold>(options, 'POST', `/v1/test-dials${targetOf(options)}`, {
          ...(line === undefined ? {} : { line }),
          ...(code === undefined ? {} : { service: code }),
        })
    const wanted = dials.filter(
      (one) => (line === undefined || one.line === line) && (code === undefined || one.service === code),
    )
    if (options.json) say(asJson(wanted))
    else for (const text of [...shown(wanted, options), ...problems]) say(text)
    if (wanted.length === 0) return NOTHING
    return wanted.every(({ result }) => result === 'ok') ? 0 : 1
  } catch (error) {
    if ((error as Error).name !== 'UsageError') throw error
    const { message } = error as Error
    say(unanswered(message, options))
    return NO_ANSWER
  }
}

const targetOf = ({ instance }: TestDialOptions) => (instance ? `?instance=${encodeURIComponent(instance)}` : '')

const NO_DIALS =
  'nothing to dial: the line is stopped or held, stands by for another daemon, or has no service code that can be dialled'
const NOT_YET = 'no test dial yet: the settings have no testDials, or the daemon has just started'

function shown(dials: DialsTold['dials'], { last }: TestDialOptions): string[] {
  if (dials.length === 0) return [last ? NOT_YET : NO_DIALS]
  const rows = dials.map(({ line, service, result, ms, at, why, failingSince, screen, instance = '' }) => [
    line,
    service,
    result,
    `${ms} ms`,
    at,
    failingSince === null ? '' : failingSince,
    instance,
    why || (screen?.split('\n')[0] ?? ''),
  ])
  const table = tableOf(['LINE', 'CODE', 'RESULT', 'TOOK', 'AT', 'FAILING SINCE', 'BY', 'WHY, OR FIRST LINE'], rows)
  const failed = dials.filter(({ result }) => result !== 'ok')
  const remedies = new Set(failed.map(({ result, remedy }) => `  ${result}: ${remedy}`))
  const verdict = failed.length
    ? coloured(`${failed.length} of ${dials.length} are not answered`, 'red')
    : coloured(`all ${dials.length} are answered`, 'green')
  return [...table, verdict, ...remedies]
}
