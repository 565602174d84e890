/** `probe`: finds out which profile an SMSC uses. */
import type { Command } from 'commander'
import { parseInteger, smsc, type Say } from '../arguments.ts'

export function registerProbe(program: Command, say: Say): void {
  smsc(program.command('probe'))
    .description(
      'binds to an SMSC of unknown dialect, shows each message, ends each call, and names the profile that fits',
    )
    .option(
      '--bind <type>',
      'transceiver, or pair (a transmitter and a receiver); default: as in the settings, else transceiver',
    )
    .option('--seconds <n>', 'longest time to listen', parseInteger, 300)
    .option('--calls <n>', 'stop after this many calls', parseInteger, 2)
    .option('--ask', 'from the second call on, ask a question first to see an answer')
    .action(async (options: import('../smsc/probe.ts').ProbeOptions) => {
      const { untilSignal } = await import('../smsc/simulate.ts')
      await (await import('../smsc/probe.ts')).probeCommand(options, say, untilSignal())
    })
}
