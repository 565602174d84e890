/** `audit`: who did what, out of Postgres; `audit verify`: whether rows were changed or taken out. */
import type { Command } from 'commander'
import { CONFIG, jsonOption, parseInteger, type Say } from '../arguments.ts'

const LAST = 1_000

export function registerAudit(program: Command, say: Say): void {
  const audit = program.command('audit').description('who did what, in all daemons; and whether that record is whole')
  jsonOption(audit.command('show', { isDefault: true }))
    .description('shows changes, looks at subscribers, refusals; the command if you write none')
    .requiredOption(...CONFIG)
    .option('--since <when>', 'a duration such as 24h or 7d, or a date', '24h')
    .option('--last <n>', 'the newest, this many', parseInteger, LAST)
    .option('--who <name>', 'only by this name')
    .option('--msisdn <number>', 'only about this subscriber, by the hash of this machine')
    .action(async (options: import('../audit.ts').AuditOptions) =>
      (await import('../audit.ts')).auditCommand(options, say),
    )
  jsonOption(audit.command('verify'))
    .description('reads all chains of the audit; exit code 1 if a row was changed or is gone')
    .requiredOption(...CONFIG)
    .option('--head <chain,seq,hash...>', "what log lines 'audit head' told: the chains must still have it")
    .action(async (options: { config: string; head?: string[]; json?: boolean }) => {
      const isWhole = await (await import('../audit.ts')).verifyCommand(options, say)
      if (!isWhole) process.exitCode = 1
    })
}
