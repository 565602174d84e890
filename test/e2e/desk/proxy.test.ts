/** The desk behind a real nginx that signs people in: with the lines of docs/OPERATIONS.md. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf } from '../../support/desk-browser.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(existsSync)
const SECRET = 'the-secret-of-the-proxy'
/** Who signs in as whom: the groups. */
const PEOPLE: Record<string, string> = { mary: 'noc', kila: 'care,staff', john: 'visitors' }

/** As it is documented, with the ports of this test. */
function documented({
  listen,
  admin,
  auth,
  folder,
}: {
  listen: number
  admin: number
  auth: number
  folder: string
}): string {
  const docs = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
  const [, block] = /```nginx\n(location \/desk \{[\s\S]*?\n\})\n```/.exec(docs)!
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const location = block!
    .replace('http://127.0.0.1:8123', `http://127.0.0.1:${admin}`)
    .replace('the text of proxy-secret', SECRET)
  return `
${userInfo().uid === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; ${temp.join(' ')}
  server {
    listen 127.0.0.1:${listen};
    location = /oauth2/auth { internal; proxy_pass http://127.0.0.1:${auth}; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    ${location}
  }
}`
}

describeWith(['redis', 'postgres'], 'the desk behind nginx', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-nginx-'))
  let smsc: Smsc
  let staged: Staged
  let auth: Server
  let nginx: ChildProcess
  let url = ''

  before(async function () {
    if (!NGINX) {
      process.stdout.write('No nginx on this machine: the desk is not shown behind a real proxy.\n')
      this.skip()
    }
    writeFileSync(join(folder, 'proxy-secret'), SECRET, { mode: 0o600 })
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.admin.trustedProxy = {
          addresses: ['127.0.0.1'],
          secretFile: join(folder, 'proxy-secret'),
          userHeader: 'x-forwarded-user',
          groupsHeader: 'x-forwarded-groups',
          roles: { noc: ['read', 'operate'], care: ['read', 'support'] },
        }
      },
    })
    auth = createServer((request, response) => {
      const name = /who=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
      const groups = PEOPLE[name]
      if (groups === undefined) return void response.writeHead(401).end()
      response.writeHead(202, { 'x-auth-request-user': name, 'x-auth-request-groups': groups }).end()
    }).listen(0, '127.0.0.1')
    await new Promise((done) => auth.once('listening', done))
    const listen = await freePort()
    for (const name of ['logs', 'proxy']) mkdirSync(join(folder, name), { recursive: true })
    const ports = { listen, admin: staged.daemon.admin.port, auth: (auth.address() as AddressInfo).port }
    writeFileSync(join(folder, 'nginx.conf'), documented({ ...ports, folder }))
    nginx = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    url = `http://127.0.0.1:${listen}`
    await until(
      () =>
        fetch(`${url}/desk`).then(
          () => true,
          () => false,
        ),
      'nginx does not listen',
    )
  })
  after(async () => {
    if (nginx?.exitCode === null) {
      nginx.kill('SIGTERM')
      await new Promise((done) => nginx.once('exit', done))
    }
    auth?.close()
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const as = (name: string, headers: Record<string, string> = {}) => {
    const browser = browserOf(url, headers)
    browser.cookies.set('who', name)
    return browser
  }

  it('lets in who the proxy names, with the roles of the groups, and nobody else', async () => {
    const page = await as('mary').text('/desk/lines/test')
    assert.match(page, /class="who" title="read, operate[\s\S]*?mary/)
    assert.match(page, /lines\/test\/stop/)
    assert.match(await as('kila').text('/desk/number'), /class="who" title="read, support/)
    assert.equal((await as('kila').get('/desk/settings')).status, 403)
    assert.equal((await as('nobody').get('/desk')).status, 401)
    const john = await as('john').get('/desk')
    assert.equal(john.status, 403)
    assert.match(await john.text(), /You do not have the role read/)
  })

  it('replaces what a caller sends under the names of its headers', async () => {
    const forged = { 'x-forwarded-user': 'root', 'x-forwarded-groups': 'noc', 'x-proxy-secret': 'x' }
    const page = await as('kila', forged).text('/desk')
    assert.match(page, /title="read, support[\s\S]*?kila/)
    assert.doesNotMatch(page, /root/)
    const direct = browserOf(`http://127.0.0.1:${staged.daemon.admin.port}`, { ...forged, 'x-forwarded-user': 'mary' })
    assert.equal((await direct.get('/desk')).status, 303)
  })

  it('takes forms, writes who did it, and refuses those of other pages', async () => {
    const mary = as('mary')
    const done = await mary.submit('/desk/alarms', '/desk/alarms/silence', { line: 'test', for: '1h', note: 'works' })
    assert.equal(done.status, 303)
    const audit = staged.logged().find(({ what }) => what === 'alarms silenced')
    assert.deepEqual([audit?.who, audit?.role], ['mary', 'read,operate'])
    const page = await mary.text('/desk/alarms')
    const form = /name="form" value="([\w-]+)"/.exec(page)![1]!
    const foreign = await mary.post('/desk/alarms/test', { form }, { origin: 'https://example.net' })
    assert.equal(foreign.status, 403)
    const own = await mary.post('/desk/alarms/test', { form }, { origin: url })
    assert.equal(own.status, 303)
  })

  it('is live through the proxy: parts come as they change', async () => {
    const stream = await as('mary').stream('/desk/lines/live')
    const first = await stream.next()
    assert.equal(first.event, 'parts')
    await as('mary').submit('/desk/lines/test', '/desk/lines/test/stop', { instance: 'all' })
    for (let event = first; !/stopped/.test(event.data); event = await stream.next());
    stream.stop()
    await as('mary').submit('/desk/lines/test', '/desk/lines/test/start', { instance: 'all' })
  })
})
