/** `doctor`: examines the link to an SMSC. */
import type { Command } from 'commander'
import { parseInteger, smsc, type Say } from '../arguments.ts'

export function registerDoctor(program: Command, say: Say): void {
  smsc(program.command('doctor'))
    .description('tests the link to an SMSC: binds, SMS, receipts, rates, USSD; writes a sheet for both sides to sign')
    .option(
      '--msisdn <number>',
      'MSISDN of a test handset, the only number that gets anything; absent: tests only connection and binds',
    )
    .option('--source <address>', 'sender of the SMS')
    .option('--code <code>', "wait until the test handset dials this service code: '*123#'")
    .option('--push', 'push a text and a question to the handset by USSD')
    .option('--dialect <profile>', 'dialect of the SMSC; default: the one that the call shows, else standard')
    .option('--window <n>', 'SMS to send at once, to see how many it accepts; 0: none', parseInteger, 10)
    .option('--rate-sms <n>', 'most SMS to spend on finding the rate; 0: none', parseInteger, 0)
    .option('--wrong-password', 'bind once with a wrong password; this may lock the account')
    .option(
      '--dead-peer <seconds>',
      'stay silent this long, to see when the SMSC closes the link; 0: skip',
      parseInteger,
      0,
    )
    .option('--wait <seconds>', 'how long to wait for a person at the handset', parseInteger, 60)
    .option('--receipts <seconds>', 'how long to wait for receipts', parseInteger, 60)
    .option('--yes', 'send the SMS without asking')
    .option('--operator <name>', 'name to write on the sheet')
    .option('--html <file>', 'write the sheet as HTML for printing')
    .option('--json', 'print the sheet as JSON instead of text')
    .option('--show-numbers', 'do not mask the MSISDN of the test handset')
    .action(async (options: import('../smsc/doctor.ts').DoctorOptions) => {
      const { counts } = await (await import('../smsc/doctor.ts')).doctorCommand(options, say)
      process.exitCode = counts.fail > 0 ? 1 : 0
    })
}
