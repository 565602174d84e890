/** `doctor`: the link to an SMSC, examined. */
import type { Command } from 'commander'
import { parseInteger, smsc, type Say } from '../arguments.ts'

export function registerDoctor(program: Command, say: Say): void {
  smsc(program.command('doctor'))
    .description('examines the link to an SMSC: binds, SMS, receipts, rates, USSD; a sheet for both sides to sign')
    .option(
      '--msisdn <number>',
      'of a test handset, the only number that anything is sent to; absent: connection and binds only',
    )
    .option('--source <address>', 'sender of the SMS')
    .option('--code <code>', "wait for a call: '*123#', to be dialled on the handset")
    .option('--push', 'show a text and a question on the handset by USSD')
    .option('--dialect <profile>', 'how USSD is written there; default: what the call shows, else standard')
    .option('--window <n>', 'SMS sent at once, to see how many it takes; 0: none', parseInteger, 10)
    .option('--rate-sms <n>', 'SMS to spend on finding the rate at most; 0: none', parseInteger, 0)
    .option('--wrong-password', 'try once with a wrong password: may lock the account')
    .option('--dead-peer <seconds>', 'play dead that long, to see when it lets go; 0: not', parseInteger, 0)
    .option('--wait <seconds>', 'for a person at the handset', parseInteger, 60)
    .option('--receipts <seconds>', 'to wait for receipts', parseInteger, 60)
    .option('--yes', 'send the SMS without asking')
    .option('--operator <name>', 'to stand on the sheet')
    .option('--html <file>', 'write the sheet for paper')
    .option('--json', 'print the sheet as JSON instead of text')
    .option('--show-numbers', 'do not mask the number of the test handset')
    .action(async (options: import('../doctor.ts').DoctorOptions) => {
      const { counts } = await (await import('../doctor.ts')).doctorCommand(options, say)
      process.exitCode = counts.fail > 0 ? 1 : 0
    })
}
