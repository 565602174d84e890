/** `lines`: the lines of a running daemon, and their binds. */
import type { Command } from 'commander'
import { adminOptions, type Say } from '../arguments.ts'
import type { CapState, LineRow, LinesReloaded } from '../../admin/index.ts'
import { askAdmin, type AdminOptions } from '../admin.ts'

export function registerLines(program: Command, say: Say): void {
  adminOptions(program.command('lines'))
    .description('shows the lines of a running daemon and their binds, or changes them')
    .option('--reload', 'read the settings file again: adds, changes and removes lines; unchanged lines go on serving')
    .option('--stop <name>', 'unbind a line, until you start the line or the daemon again')
    .option('--start <name>', 'bind it again')
    .action(async (options: { url: string; tokenFile?: string; reload?: boolean; stop?: string; start?: string }) =>
      linesCommand(options, say),
    )
}

export async function linesCommand(
  options: AdminOptions & { reload?: boolean; stop?: string; start?: string },
  say: Say,
): Promise<void> {
  if (options.reload) {
    const { needRestart, ...names } = await askAdmin<LinesReloaded>(options, 'POST', '/v1/lines/reload')
    for (const [what, lines] of Object.entries(names)) if (lines.length) say(`${what.padEnd(8)} ${lines.join(' ')}`)
    if (needRestart.length) say(`only a restart applies: ${needRestart.join(', ')}`)
    return
  }
  for (const verb of ['stop', 'start'] as const) {
    const name = options[verb]
    if (name !== undefined) await askAdmin(options, 'POST', `/v1/lines/${encodeURIComponent(name)}/${verb}`)
  }
  const { lines } = await askAdmin<{ lines: LineRow[] }>(options, 'GET', '/v1/lines')
  for (const { name, group, dialect, stopped, binds, cap } of lines) {
    say(`${name.padEnd(16)} ${group.padEnd(16)} ${dialect.padEnd(16)} ${stopped ? 'stopped' : ''}`.trimEnd())
    if (cap) say(`  ${capLine(cap)}`)
    for (const { bind, state, since, peer, why, detail, remedy, tries } of binds) {
      const reason = why === undefined ? '' : `  ${why}: ${detail}, ${tries} ${tries === 1 ? 'try' : 'tries'}`
      say(`  ${bind.padEnd(16)} ${state.padEnd(14)} since ${since}  ${peer}${reason}`)
      if (remedy) say(`  ${' '.repeat(16)} ${remedy}`)
    }
  }
}

function capLine({ perSecond, share, used, waiting, daemons, isAway }: CapState): string {
  const had = isAway ? ', its last one: the store is unreachable' : daemons > 1 ? ` of ${daemons} daemons` : ''
  return `at most ${perSecond} a second; share of this daemon ${share}${had}; sent ${used}, waiting ${waiting}`
}
