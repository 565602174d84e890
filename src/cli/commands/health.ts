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

/** Whether the daemon is ready. What it says is said on; its silence, too. */
export async function healthCommand({ host, port, tokenFile }: HealthOptions, say: Say): Promise<boolean> {
  const authority = host.includes(':') ? `[${host}]` : host
  const answer = await fetch(`http://${authority}:${port}/ready`, {
    headers: bearerOf(tokenFile),
    redirect: 'error',
    signal: AbortSignal.timeout(HEALTH_MS),
  }).catch(() => undefined)
  say(answer ? await answer.text() : 'no answer')
  return answer?.ok ?? false
}
