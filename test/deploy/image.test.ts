/** What the image has that is not Node.js: its health check, and the digest of its base. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcp } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dockerfileFaults } from '../campaigns/hardening.ts'
import { root } from '../style/tree.ts'
import { freePort } from '../support/services.ts'

const DIGEST = `sha256:${'5e'.repeat(32)}`

/** The server is in this process: it must not stand still meanwhile. */
async function ran(program: string, words: string[]) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const [status] = (await once(child, 'close')) as [number]
  return { status, said }
}

async function serving(answer: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

describe('the health check of the image', function () {
  const health = async (port: number) => (await ran(join(root, 'scripts/health.sh'), [String(port)])).status

  it('is 0 where /ready says 200, and 1 where it says anything else', async () => {
    let [status, asked] = [200, '']
    const { server, port } = await serving((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.host}`
      response.writeHead(status).end('{"ready":true}')
    })
    try {
      assert.equal(await health(port), 0)
      assert.equal(asked, 'GET /ready 127.0.0.1')
      for (status of [503, 404]) assert.equal(await health(port), 1)
    } finally {
      server.close()
    }
  })

  it('is 1 where nobody listens, and where nobody answers: before Docker gives it up', async () => {
    assert.equal(await health(await freePort()), 1)
    const silent = createTcp().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    assert.equal(await health((silent.address() as AddressInfo).port), 1)
    silent.close()
  })

  it('is what the Dockerfile names, and waits for less than it allows', () => {
    const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
    assert.match(text, /^COPY scripts\/health[.]sh health$/m)
    assert.match(text, /^HEALTHCHECK .*--timeout=3s .*CMD \["\/app\/health", "8123"\]$/m)
    assert.match(readFileSync(join(root, 'scripts/health.sh'), 'utf8'), /read -r -t 2 /)
    assert.equal(statSync(join(root, 'scripts/health.sh')).mode & 0o111, 0o111)
  })
})

describe('the digest of the base image', function () {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-pin-'))
  const file = join(folder, 'Dockerfile')
  const pin = (...words: string[]) =>
    ran(process.execPath, [join(root, 'scripts/pin-base.mjs'), '--file', file, ...words])
  beforeEach(() => cpSync(join(root, 'Dockerfile'), file))
  after(() => rmSync(folder, { recursive: true }))

  it('is asked of the registry, with a token where it wants one, and written', async () => {
    let origin = ''
    const asked: string[] = []
    const { server, port } = await serving((request, response) => {
      const { url, headers } = request
      asked.push(`${request.method} ${url}`)
      if (url!.startsWith('/token')) return response.end('{"token":"t0"}')
      if (headers.authorization !== 'Bearer t0')
        return response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${origin}/token",service="registry.test"` })
          .end()
      assert.match(headers.accept!, /image\.index\.v1/)
      response.writeHead(200, { 'docker-content-digest': DIGEST }).end()
    })
    origin = `http://127.0.0.1:${port}`
    try {
      assert.match((await pin('--check')).said, /has no digest/)
      const { status, said } = await pin('--registry', origin)
      assert.equal(status, 0, said)
      const text = readFileSync(file, 'utf8')
      assert.match(text, new RegExp(`^ARG NODE_IMAGE=node:[\\w.-]+@${DIGEST}$`, 'm'))
      assert.deepEqual(dockerfileFaults(text, root), [])
      assert.equal(asked.length, 3)
      assert.match(asked[1]!, /^GET \/token\?service=registry.test&scope=repository%3Alibrary%2Fnode%3Apull$/)
      assert.equal((await pin('--check')).status, 0)
      assert.match((await pin('--registry', origin)).said, /as before/)
    } finally {
      server.close()
    }
  })

  it('is never made up: a registry that is not there, or names none, leaves the file as it was', async () => {
    const before = readFileSync(file, 'utf8')
    const gone = await pin('--registry', `http://127.0.0.1:${await freePort()}`)
    assert.deepEqual([gone.status, /is as it was/.test(gone.said)], [1, true])
    const { server, port } = await serving((_, response) => void response.writeHead(200).end())
    const none = await pin('--registry', `http://127.0.0.1:${port}`)
    server.close()
    assert.match(none.said, /it names no digest/)
    assert.equal(readFileSync(file, 'utf8'), before)
  })
})

describe('the optional packages', () => {
  it('are the embedded Postgres alone, and the image leaves them out', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      object
    >
    assert.deepEqual(Object.keys(optionalDependencies!), ['@electric-sql/pglite'])
    assert.match(
      readFileSync(join(root, 'Dockerfile'), 'utf8'),
      /npm prune --omit=dev --omit=optional --ignore-scripts/,
    )
  })

  it('are not needed by a daemon with a server; `postgres: embedded` says what to do', () => {
    // As if it were not installed.
    const hook = `export const resolve = (name, context, next) => {
      if (name.startsWith('@electric-sql/')) throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(name, context)
    }`
    const without = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))`
    const open = `import { openPostgres } from ${JSON.stringify(join(root, 'src/store/postgres/connection.ts'))}
      const server = await openPostgres({ url: 'postgres://nobody@127.0.0.1:1/none' }); await server.close()
      await openPostgres({ embedded: 'memory://' }).catch((error) => console.log(error.name + ': ' + error.message))`
    const words = ['--import', 'tsx', '--import', `data:text/javascript,${encodeURIComponent(without)}`]
    const { stdout, stderr } = spawnSync(process.execPath, [...words, '--input-type=module', '-e', open], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.match(
      stdout,
      /^UsageError: postgres: embedded needs the package @electric-sql\/pglite, .*set postgres[.]url/,
      stderr,
    )
  })
})
