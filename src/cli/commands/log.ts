/** `log`: the level of the log of a running daemon, by subsystem, and for a limited time of one subscriber. */
import { Argument, Option, type Command } from 'commander'
import { LOG_LEVELS, SUBSYSTEMS, type LogLevelRows, UsageError } from '../../base/index.ts'
import { adminOptions, jsonOption, parseInteger, type Say } from '../arguments.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import { tableOf } from '../table.ts'

export function registerLog(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('log')))
    .description('shows the level of the log, or sets another one for a while: it ends by itself, and at a restart')
    .addArgument(new Argument('[what]', 'nothing: what is in force').choices(['level', 'reset']))
    .addArgument(new Argument('[level]', 'with `level`').choices(LOG_LEVELS))
    .addOption(new Option('--subsystem <name>', 'only of this part; default: all').choices(SUBSYSTEMS))
    .option('--msisdn <number>', 'with `level debug`: all about this subscriber, whatever the level of the rest')
    .option('--minutes <n>', 'for so long, at most a day; default: 10', parseInteger)
    .option('--instance <name>', 'in which daemon (`ussd-connector status`), or all')
    .action(async (what: string | undefined, level: string | undefined, options: LogOptionsGiven) =>
      logCommand({ ...options, what, level }, say),
    )
}

export interface LogOptionsGiven extends AdminOptions {
  subsystem?: string
  msisdn?: string
  minutes?: number
  instance?: string
}

export interface LogCommandOptions extends LogOptionsGiven {
  what?: string | undefined
  level?: string | undefined
}

type Told = LogLevelRows & { instance?: string }

export async function logCommand(options: LogCommandOptions, say: Say): Promise<void> {
  const { what, level, subsystem, msisdn, minutes, instance } = options
  if (what === 'level' && level === undefined)
    throw new UsageError(`log level: which? ${LOG_LEVELS.join(', ')}; e.g. ussd-connector log level debug --minutes 10`)
  const where = instance === undefined ? '' : `?instance=${encodeURIComponent(instance)}`
  const body = {
    level,
    ...(subsystem ? { subsystem } : {}),
    ...(msisdn ? { msisdn } : {}),
    ...(minutes ? { minutes } : {}),
  }
  const method = what === undefined ? 'GET' : what === 'reset' ? 'DELETE' : 'POST'
  const path = `/v1/log${what === undefined ? '' : where}`
  const told = await askAdmin<Told | { instances: Told[] }>(options, method, path, what === 'level' ? body : undefined)
  if (options.json) return say(asJson(told))
  for (const one of 'instances' in told ? told.instances : [told]) sayLevels(one, say)
}

function sayLevels({ instance, level, raised, followed }: Told, say: Say): void {
  if (instance !== undefined) say(instance)
  const rows = [
    ['the settings', level, ''],
    ...raised.map(({ subsystem, level: own, until }) => [subsystem, own, until]),
    ...followed.map(({ msisdn, subscriber, until }) => [`${msisdn} (subscriber ${subscriber})`, 'all', until]),
  ]
  say(tableOf(['OF', 'LEVEL', 'UNTIL'], rows).join('\n'))
}
