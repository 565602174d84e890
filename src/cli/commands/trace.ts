/** `trace`: the last PDUs of a line, from the admin API. */
import { InvalidArgumentError, type Command } from 'commander'
import { adminOptions, parseInteger, type Say } from '../arguments.ts'
import { writeFileSync } from 'node:fs'
import { request, type AdminOptions } from '../admin.ts'

export function registerTrace(program: Command, say: Say): void {
  adminOptions(program.command('trace'))
    .description('writes the last PDUs of a line as a capture for Wireshark; numbers and texts are masked')
    .argument('<line>', 'name of the line in the settings')
    .option('--out <file>', 'the capture file')
    .option('--text', 'print it as text instead')
    .option('--last <n>', 'only the last PDUs, this many; default: all that are kept', parseInteger)
    .option('--msisdn <number>', 'only PDUs of this subscriber')
    .option('--clear', 'do not mask numbers and texts: needs a token with the roles trace and support, and is logged')
    .action(async (line: string, options: TraceOptions) => traceCommand(line, options, say))
}

export interface TraceOptions extends AdminOptions {
  out?: string
  text?: boolean
  last?: number
  msisdn?: string
  clear?: boolean
}

export async function traceCommand(line: string, options: TraceOptions, say: Say): Promise<void> {
  const { out, text, last, msisdn, clear } = options
  if ((out === undefined) === (text !== true)) throw new InvalidArgumentError('trace: give either --out FILE or --text')
  const query = new URLSearchParams({
    form: text ? 'text' : 'pcap',
    ...(last === undefined ? {} : { last: String(last) }),
    ...(msisdn === undefined ? {} : { msisdn }),
    ...(clear ? { clear: 'true' } : {}),
  })
  const answer = await request(options, 'GET', `/v1/lines/${encodeURIComponent(line)}/trace?${query}`)
  if (out === undefined) return say((await answer.text()).trimEnd())
  const capture = Buffer.from(await answer.arrayBuffer())
  // Even masked, it shows who was served when.
  writeFileSync(out, capture, { mode: 0o600 })
  say(
    `${out}: ${capture.length} octets${clear ? ', with numbers and texts of subscribers: delete it when you are done' : ', masked'}`,
  )
}
