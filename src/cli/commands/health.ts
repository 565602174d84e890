/** `health`: whether a running daemon is ready. */
import { Option, type Command } from 'commander'
import { adminOptions, jsonOption, parseInteger, type Say } from '../arguments.ts'
import { bearerOf, type AdminOptions } from '../admin.ts'

export function registerHealth(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('health')))
    .description('asks a running daemon whether it is ready; with a token, what is not; exit code 0 or 1')
    .addOption(new Option('--host <host>', 'in place of --url: admin address of the daemon').hideHelp())
    .option('--port <port>', 'admin port of a daemon on this machine, in place of --url', parseInteger)
    .action(async (options: HealthOptions) => {
      process.exitCode = (await healthCommand(options, say)) ? 0 : 1
    })
}

export interface HealthOptions extends AdminOptions {
  host?: string
  port?: number
}

const HEALTH_MS = 2_500

/** Whether the daemon is ready. Prints its answer, or that there was none. */
export async function healthCommand({ url, host, port, tokenFile, json }: HealthOptions, say: Say): Promise<boolean> {
  const headers = await bearerOf(tokenFile)
  const at = host === undefined && port === undefined ? url : `http://${host ?? '127.0.0.1'}:${port ?? 8123}`
  const answer = await asked(new URL('/ready', at), headers).catch(() => undefined)
  say(answer ? answer.text : json ? '{"ready":false,"error":"no answer"}' : 'no answer')
  return answer?.status === 200
}

/**
 * Uses node:http, not `fetch`, and not as an ES module, which would load the client of `fetch`: on Node.js 24 that
 * costs three times as much as everything else. This command runs every few seconds beside the daemon.
 */
function asked(url: URL, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const { get } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
  return new Promise((done, fail) => {
    const signal = AbortSignal.timeout(HEALTH_MS)
    get(url, { headers, signal, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }))
      answer.on('error', fail)
    }).on('error', fail)
  })
}
