/** `probe`: which profile an SMSC speaks. */
import type { Command } from 'commander'
import { parseInteger, smsc, type Say } from '../arguments.ts'

export function registerProbe(program: Command, say: Say): void {
  smsc(program.command('probe'))
    .description('binds to an SMSC of an unknown dialect, shows what comes, ends each call, says which profile it is')
    .option(
      '--bind <type>',
      'transceiver, or pair: a transmitter and a receiver; default: as the settings say, else transceiver',
    )
    .option('--seconds <n>', 'how long to listen at most', parseInteger, 300)
    .option('--calls <n>', 'calls after which it is enough', parseInteger, 2)
    .option('--ask', 'from the second call on, ask a question first, to see an answer')
    .action(async (options: import('../probe.ts').ProbeOptions) => {
      const { untilSignal } = await import('../simulate.ts')
      await (await import('../probe.ts')).probeCommand(options, say, untilSignal())
    })
}
