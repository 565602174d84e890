/** `trace`: what passed on a line lately, asked of the admin API. */
import type { Command } from 'commander'
import { adminOptions, parseInteger, type Say } from '../arguments.ts'
import { writeFileSync } from 'node:fs'
import { UsageError } from '../../base/index.ts'
import { request, type AdminOptions } from '../admin.ts'

export function registerTrace(program: Command, say: Say): void {
  adminOptions(program.command('trace'))
    .description('what passed on a line of a running daemon lately, as a capture for Wireshark; masked')
    .argument('<line>', 'its name in the settings')
    .option('--out <file>', 'the capture file')
    .option('--text', 'print it in words instead')
    .option('--last <n>', 'the last so many PDUs; default: all that is kept', parseInteger)
    .option('--msisdn <number>', 'only what concerns this subscriber')
    .option('--clear', 'with numbers and texts as they were: needs a token that may operate, and is written down')
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
  if ((out === undefined) === (text !== true)) throw new UsageError('trace: say either --out FILE or --text')
  const query = new URLSearchParams({
    form: text ? 'text' : 'pcap',
    ...(last === undefined ? {} : { last: String(last) }),
    ...(msisdn === undefined ? {} : { msisdn }),
    ...(clear ? { clear: 'true' } : {}),
  })
  const answer = await request(options, 'GET', `/v1/lines/${encodeURIComponent(line)}/trace?${query}`)
  if (out === undefined) return say((await answer.text()).trimEnd())
  const capture = Buffer.from(await answer.arrayBuffer())
  // Even masked, it says who was served when.
  writeFileSync(out, capture, { mode: 0o600 })
  say(
    `${out}: ${capture.length} octets${clear ? ", with subscribers' numbers and texts: delete it when you are done" : ', masked'}`,
  )
}
