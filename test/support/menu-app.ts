/**
 * A real application, as they are written for aggregators: built with the npm libraries ussd-menu-builder and
 * ussd-builder, which know nothing of us. One path a provider.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import MenuBuilder from 'ussd-menu-builder'
import Builder from 'ussd-builder'

type Args = Record<string, unknown>
interface Menu {
  args: { phoneNumber: string } | null
  val: string
  con(text: string): void
  end(text: string): void
  startState(options: object): void
  state(name: string, options: object): void
  sessionConfig(config: object): void
  on(event: 'error', listener: (error: Error) => void): void
  run(args: Args, onResult: (result: unknown) => void): void
}
type Library = new (options: { provider: string }) => Menu

export const PROVIDERS = {
  'ussd-menu-builder': { library: MenuBuilder as unknown as Library, providers: ['africasTalking', 'hubtel'] },
  'ussd-builder': {
    library: Builder as unknown as Library,
    providers: ['africasTalking', 'hubtel', 'emergent', 'cross-switch', 'nalo', 'arkesel', 'beem'],
  },
}

export interface MenuApp {
  port: number
  /** Bodies received, by path. */
  heard: Record<string, string[]>
  stop(): void
}

export async function menuApp(): Promise<MenuApp> {
  const menus = new Map<string, Menu>()
  for (const [name, { library, providers }] of Object.entries(PROVIDERS)) {
    for (const provider of providers) menus.set(`/${name}/${provider}`, menuOf(new library({ provider })))
  }
  const heard: Record<string, string[]> = {}
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    ;(heard[request.url!] ??= []).push(body)
    const menu = menus.get(request.url!)
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    const args = (isForm ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body)) as Args
    const isNotice = args.Type === 'Release' || args.Type === 'Timeout' || args.command === 'terminate'
    if (!menu || isNotice) return void response.writeHead(menu ? 200 : 404).end()
    menu.run(args, (result) =>
      typeof result === 'string'
        ? response.writeHead(200, { 'content-type': 'text/plain' }).end(result)
        : response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    heard,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function menuOf(menu: Menu): Menu {
  const kept = new Map<string, Record<string, unknown>>()
  const of = (id: string) => kept.get(id) ?? {}
  menu.sessionConfig({
    start: (id: string, done: () => void) => (kept.set(id, of(id)), done()),
    set: (id: string, key: string, value: unknown, done: () => void) => (
      kept.set(id, { ...of(id), [key]: value }),
      done()
    ),
    get: (id: string, key: string, done: (error: null, value: unknown) => void) => done(null, of(id)[key]),
    end: (id: string, done: () => void) => (kept.delete(id), done()),
  })
  menu.on('error', () => undefined)
  menu.startState({
    run: () => menu.con('Akiba\n1. Balance\n2. Buy airtime'),
    next: { 1: 'balance', 2: 'amount' },
  })
  menu.state('balance', { run: () => menu.end(`Balance of ${menu.args!.phoneNumber}: K 12.50`) })
  menu.state('amount', { run: () => menu.con('Enter amount:'), next: { '*^\\d+$': 'bought' } })
  menu.state('bought', { run: () => menu.end(`Bought K ${menu.val}.`) })
  return menu
}
