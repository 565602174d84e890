/** `health`: whether a running daemon is ready. */
import type { Command } from 'commander'
import { parseInteger, type Say } from '../arguments.ts'
import { bearerOf } from '../admin.ts'

export function registerHealth(program: Command, say: Say): void {
  program
    .command('health')
    .description('asks a running daemon whether it is ready; exit code 0 or 1')
    .option('--host <host>', 'admin address of the daemon', '127.0.0.1')
    .option('--port <port>', 'admin port of the daemon', parseInteger, 8123)
    .option('--token-file <file>', 'file with a token of admin.tokensFile; with it, the answer says what is not ready')
    .action(async (options: HealthOptions) => {
      process.exitCode = (await healthCommand(options, say)) ? 0 : 1
    })
}

export interface HealthOptions {
  host: string
  port: number
  tokenFile?: string
}

const HEALTH_MS = 2_500

/** Whether the daemon is ready. Prints its answer, or that there was none. */
export async function healthCommand({ host, port, tokenFile }: HealthOptions, say: Say): Promise<boolean> {
  const headers = await bearerOf(tokenFile)
  const answer = await asked({ host, port, headers }).catch(() => undefined)
  say(answer ? answer.text : 'no answer')
  return answer?.status === 200
}

interface Asked {
  host: string
  port: number
  headers: Record<string, string>
}

/**
 * Uses node:http, not `fetch`, and not as an ES module, which would load the client of `fetch`: on Node.js 24 that
 * costs three times as much as everything else. This command runs every few seconds beside the daemon.
 */
function asked({ host, port, headers }: Asked): Promise<{ status: number; text: string }> {
  const { get } = process.getBuiltinModule('node:http')
  return new Promise((done, fail) => {
    const signal = AbortSignal.timeout(HEALTH_MS)
    get({ host, port, path: '/ready', headers, signal, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }))
      answer.on('error', fail)
    }).on('error', fail)
  })
}
