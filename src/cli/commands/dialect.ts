/** `dialect`: the profiles of operators. */
import type { Command } from 'commander'
import { jsonOption, type Say } from '../arguments.ts'

export function registerDialect(program: Command, say: Say): void {
  const dialect = program
    .command('dialect')
    .description('dialect profiles of operators: infer one from a recording, list, show, test')
  dialect
    .command('infer')
    .description('infers a profile from a recording of an SMSC, and says how sure each field is')
    .argument('<file>', 'a pcap or pcapng file (may be gzipped), or a log of PDUs in hex')
    .option('--name <name>', 'name of the profile; default: that of the file')
    .action(async (file: string, options: { name?: string }) =>
      (await import('../smsc/dialect.ts')).inferCommand(file, options, say),
    )
  jsonOption(dialect.command('list'))
    .description('lists the built-in profiles')
    .action(async (options: { json?: boolean }) => (await import('../smsc/dialect.ts')).listDialects(options, say))
  dialect
    .command('show')
    .description('one profile')
    .argument('<profile>', 'name or file')
    .option('--full', 'include all fields that it takes from the profiles it extends')
    .action(async (name: string, options: { full?: boolean }) =>
      (await import('../smsc/dialect.ts')).showCommand(name, options, say),
    )

  dialect
    .command('test')
    .description('plays a profile against the simulator and shows every PDU')
    .argument('<profile>', 'name or file')
    .option('--record <file>', 'write the PDUs to this file in hex, for infer')
    .action(async (name: string, options: { record?: string }) =>
      (await import('../smsc/dialect-test.ts')).testCommand(name, options, say),
    )
}
