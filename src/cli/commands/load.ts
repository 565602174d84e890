/** `load`: plays talks as load on a running daemon. */
import { InvalidArgumentError, type Command } from 'commander'
import { parseInteger, type Say } from '../arguments.ts'

const PER_SECOND_MAX = 20_000

export function registerLoad(program: Command, say: Say): void {
  program
    .command('load')
    .description('plays talks on many phones at a rate, against a running daemon, and times its screens')
    .argument('[paths...]', 'talk files or folders', ['./flows'])
    .option('--per-second <n>', 'turns per second, whether or not the daemon keeps up', perSecond, 50)
    .option('--seconds <n>', 'how long', parseInteger, 60)
    .option('--phones <n>', 'how many subscribers; default: 5 for each turn per second, 10 to 10000', parseInteger)
    .option('--msisdn <number>', 'number of the first subscriber; the others have the next ones', '67570000001')
    .option('--language <code>', 'language of the subscribers; talks in another one are left out', 'en')
    .option('--even', 'turns at even intervals; default: at random, as subscribers dial')
    .option('--seed <n>', 'the random moments begin here: the same seed gives the same ones', parseInteger, 1)
    .option('--check <what>', 'what of a screen must be as written: whole, first-line or none', checked, 'whole')
    .option('--answer-ms <n>', 'a turn without a screen after this time is lost', parseInteger, 10_000)
    .option('--host <host>', 'SMPP address to listen at', '127.0.0.1')
    .option('--port <port>', 'SMPP port to listen at', parseInteger, 2775)
    .option('--dialect <name>', 'dialect profile of the simulated SMSC', 'standard')
    .option('--system-id <id>', 'the only system id that may bind; default: any')
    .option('--password <password>', 'password of that system id; default: any')
    .option('--binds <n>', 'begin when this many binds are up', parseInteger, 1)
    .option('--wait <seconds>', 'how long to wait for them', parseInteger, 60)
    .option('--json', 'print only the result, as JSON')
    .addHelpText('after', HELP)
    .action(async (paths: string[], options: import('../smsc/load.ts').LoadCommandOptions) =>
      (await import('../smsc/load.ts')).loadCommand(paths, options, say),
    )
}

const HELP = `
The command is an SMSC. A line of the daemon's settings must lead to it: smsc.host and smsc.port. Use a daemon for
tests: the back ends really act, and the numbers are real subscribers to them. The back ends must know what the talks
expect. Talks in which a back end refuses or fails, or that need another number or language, are left out.

Latency counts from when a turn became due, so a daemon that stalls pays for each turn that waited.
The exit code is 1 if a screen was wrong, or a turn was lost or refused.`

function perSecond(text: string): number {
  const value = Number(text)
  if (!(value >= 0.1 && value <= PER_SECOND_MAX))
    throw new InvalidArgumentError(`a number from 0.1 to ${PER_SECOND_MAX}`)
  return value
}

function checked(text: string): import('../../simulator/index.ts').ScreenCheck {
  if (text === 'whole' || text === 'first-line' || text === 'none') return text
  throw new InvalidArgumentError('whole, first-line or none')
}
