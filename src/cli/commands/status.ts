/** `status`: all daemons on one screen, and how bad it is as the exit code. */
import type { Command } from 'commander'
import { systemClock } from '../../base/index.ts'
import { adminOptions, jsonOption, type Say } from '../arguments.ts'
import { asJson, askAdmin, unanswered, type AdminOptions } from '../admin.ts'
import { fleetVerdict, statusLines, type SaidFleet } from '../status-page.ts'

export function registerStatus(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('status')))
    .description('shows all daemons on one database; exit code 0: well, 1: a warning, 2: critical, 3: no answer')
    .option('--watch', 'again every two seconds, until you press Ctrl-C')
    .action(async (options: StatusOptions) => {
      process.exitCode = await fleetStatus(options, say)
    })
}

export interface StatusOptions extends AdminOptions {
  watch?: boolean
}

export const NO_ANSWER = 3
const WATCH_MS = 2_000
/** To the top left, and nothing below. */
const CLEAR = '\u001B[H\u001B[J'

export async function fleetStatus(options: StatusOptions, say: Say): Promise<number> {
  const clock = systemClock()
  for (;;) {
    const { lines, code } = await look(options, clock.now())
    say((options.watch && process.stdout.isTTY ? CLEAR : '') + lines.join('\n'))
    if (!options.watch) return code
    await new Promise<void>((done) => clock.after(WATCH_MS, done))
  }
}

async function look(options: StatusOptions, nowMs: number): Promise<{ lines: string[]; code: number }> {
  try {
    const fleet = await askAdmin<SaidFleet>(options, 'GET', '/v1/instances')
    const { code } = fleetVerdict(fleet)
    return { lines: options.json ? [asJson(fleet)] : statusLines(fleet, nowMs), code }
  } catch (error) {
    if ((error as Error).name !== 'UsageError') throw error
    const { message } = error as Error
    return { lines: [unanswered(message, options)], code: NO_ANSWER }
  }
}
