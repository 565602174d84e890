/** `dialect`: profiles of operators. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'

export function registerDialect(program: Command, say: Say): void {
  const dialect = program
    .command('dialect')
    .description('profiles of operators: infer one from a recording, list, show, try')
  dialect
    .command('infer')
    .description('the profile that a recording of an SMSC speaks of, as YAML with how sure each field is')
    .argument('<file>', 'pcap, pcapng (gzipped or not), or a log of PDUs in hex')
    .option('--name <name>', 'of the profile; default: of the file')
    .action(async (file: string, options: { name?: string }) =>
      (await import('../dialect.ts')).inferCommand(file, options, say),
    )
  dialect
    .command('list')
    .description('the profiles that are shipped')
    .action(async () => (await import('../dialect.ts')).listDialects(say))
  dialect
    .command('show')
    .description('one profile')
    .argument('<profile>', 'name or file')
    .option('--full', 'with all that it takes from the profiles it extends')
    .action(async (name: string, options: { full?: boolean }) =>
      (await import('../dialect.ts')).showCommand(name, options, say),
    )

  dialect
    .command('test')
    .description('plays a profile against the simulator and shows every PDU')
    .argument('<profile>', 'name or file')
    .option('--record <file>', 'write the PDUs there in hex, for infer')
    .action(async (name: string, options: { record?: string }) =>
      (await import('../dialect-test.ts')).testCommand(name, options, say),
    )
}
