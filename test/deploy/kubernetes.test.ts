/**
 * deploy/kubernetes, without a cluster: that the manifests agree with each other, with the image, with what the daemon
 * serves and with the settings in them. kubeconform checks them by the schemas of Kubernetes where it is to be had.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import { parse, parseAllDocuments } from 'yaml'
import { tokenHash } from '../../src/admin/access.ts'
import { startAdmin, type Admin, type AdminDeps } from '../../src/admin/server.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { openToOthers } from '../../src/base/secret-file.ts'
import { parseSettings } from '../../src/config/load.ts'
import { writeStoreKeys } from '../../src/store/key-file.ts'
import { root } from '../style/tree.ts'

const FOLDER = join(root, 'deploy/kubernetes')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/* oxlint-disable-next-line typescript/no-explicit-any -- what a manifest has is read off it, not typed */
type Manifest = any

const manifests: Manifest[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  // As kubectl reads them: 0440 would be octal.
  .flatMap((file) => parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'), { version: '1.1' }))
  .map((one) => one.toJS())
const only = (kind: string, name = 'ussd-connector') => {
  const found = manifests.filter((one) => one.kind === kind && one.metadata.name === name)
  assert.equal(found.length, 1, `${kind} ${name}`)
  return found[0]
}

const set = only('StatefulSet')
const pod = set.spec.template.spec
const [container] = pod.containers
const mountOf = (name: string) => container.volumeMounts.find((one: Manifest) => one.name === name)
const volumeOf = (name: string) => pod.volumes.find((one: Manifest) => one.name === name)
const SECRETS = mountOf('secrets').mountPath as string
const TOKEN = 'f3a9'.repeat(16)

describe('the manifests for Kubernetes', () => {
  const source = only('ConfigMap').data['connector.yaml'] as string
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ussd-kubernetes-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The settings as a daemon takes them, its secrets in a folder here. */
  function settings() {
    const lines = {
      admin_tokens: `read:${tokenHash(TOKEN).toString('hex')} prometheus`,
      store_keys: writeStoreKeys(randomBytes),
    }
    for (const [, name] of source.matchAll(/\/run\/secrets\/ussd-connector\/(\w+)/g))
      writeFileSync(join(folder, name!), lines[name as keyof typeof lines] ?? 'secret', { mode: 0o600 })
    return parseSettings(source.replaceAll(SECRETS, folder), 'connector.yaml', {}).settings
  }

  it('are two daemons with data of their own, of which a drain takes one at a time', () => {
    assert.equal(set.spec.replicas, 2)
    assert.equal(only('PodDisruptionBudget').spec.maxUnavailable, 1)
    const [claim] = set.spec.volumeClaimTemplates
    assert.equal(mountOf('data').mountPath, settings().data)
    assert.deepEqual([claim.metadata.name, claim.spec.accessModes], ['data', ['ReadWriteOnce']])
    assert.equal(set.spec.serviceName, only('Service').metadata.name)
  })

  it('mean the same pods wherever they choose some', () => {
    const { labels } = set.spec.template.metadata
    const budget = only('PodDisruptionBudget').spec.selector.matchLabels
    const policy = only('NetworkPolicy').spec.podSelector.matchLabels
    const spread = pod.topologySpreadConstraints[0].labelSelector.matchLabels
    for (const chosen of [set.spec.selector.matchLabels, budget, policy, spread, only('Service').spec.selector])
      assert.deepEqual(chosen, labels)
  })

  it('have settings that the daemon takes, with each file where it is mounted', () => {
    const { lines, flows, admin } = settings()
    assert.equal(container.args.at(-1), `${mountOf('settings').mountPath}/connector.yaml`)
    assert.equal(flows.dir, mountOf('flows').mountPath)
    assert.equal(volumeOf('settings').configMap.name, 'ussd-connector')
    assert.equal(volumeOf('flows').configMap.name, 'ussd-connector-flows')
    assert.equal(admin.host, '0.0.0.0', 'the kubelet asks the address of the pod')
    assert.equal(lines.length, 1)
    // The flow is that of the package, which its test checks and plays.
    const flow = only('ConfigMap', 'ussd-connector-flows').data['welcome.yaml'] as string
    assert.deepEqual(parse(flow), parse(read('deploy/debian/welcome.yaml')))
  })

  it('mount secrets with a mode that the daemon takes there, and reads as its user', () => {
    const { defaultMode, secretName } = volumeOf('secrets').secret
    assert.equal(secretName, 'ussd-connector')
    assert.equal(defaultMode, 0o440)
    assert.equal(pod.securityContext.fsGroup, pod.securityContext.runAsUser)
    const at = (path: string) => openToOthers(`${path}/smsc_password`, defaultMode, (file) => file)
    assert.equal(at(SECRETS), undefined)
    assert.match(at('/etc/ussd-connector')!.fault, /other users can read/)
    const files = [...source.matchAll(/File: (\S+?)[,\s}]/g)].map(([, file]) => file!)
    assert.ok(files.length >= 5)
    assert.deepEqual(
      files.filter((file) => !file.startsWith(`${SECRETS}/`)),
      [],
    )
    const made = /kubectl create secret generic ussd-connector([^`]*?)\n\S/.exec(read('docs/OPERATIONS.md'))![1]!
    for (const file of files) assert.match(made, new RegExp(`--from-file=(\\S+/)?${file.split('/').at(-1)}\\b`))
    assert.ok(!manifests.some(({ kind }) => kind === 'Secret'), 'a secret in a checkout is none')
  })

  it('name one port: of the settings, the container, the service, and who may reach it', () => {
    const { port } = settings().admin
    const [shown] = container.ports
    assert.deepEqual([shown.name, shown.containerPort], ['admin', port])
    const [service] = only('Service').spec.ports
    assert.deepEqual([service.port, service.targetPort], [port, shown.name])
    assert.equal(only('NetworkPolicy').spec.ingress[0].ports[0].port, port)
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
      assert.equal(probe.httpGet.port, shown.name)
  })

  it('let the daemon out to whom the settings name, and to name servers', () => {
    const { lines, redis, postgres } = settings()
    const out = only('NetworkPolicy').spec.egress.flatMap(({ to, ports }: Manifest) =>
      ports.map(
        ({ port }: Manifest) =>
          `${to[0].ipBlock?.cidr ?? to[0].podSelector?.matchLabels['app.kubernetes.io/name'] ?? 'system'}:${port}`,
      ),
    )
    const smsc = lines[0]!.smsc
    const stores = [redis, postgres].map((store) => new URL((store as { url: string }).url))
    const wanted = stores.map(({ hostname, port }) => `${hostname}:${port}`)
    assert.deepEqual(out.toSorted(), ['system:53', 'system:53', `${smsc.host}/32:${smsc.port}`, ...wanted].toSorted())
    assert.deepEqual(only('NetworkPolicy').spec.policyTypes, ['Ingress', 'Egress'])
  })

  it('run what the image has, as its user, with nothing that it does not need', () => {
    const image = read('Dockerfile')
    const user = Number(/^USER (\d+)/m.exec(image)![1])
    assert.deepEqual([pod.securityContext.runAsUser, pod.securityContext.runAsNonRoot], [user, true])
    assert.match(image, new RegExp(`^ENV USSD_CONNECTOR_DATA=${mountOf('data').mountPath}$`, 'm'))
    const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext
    assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities.drop], [false, true, ['ALL']])
    assert.equal(pod.automountServiceAccountToken, false)
    const { version } = JSON.parse(read('package.json')) as { version: string }
    assert.equal(container.image, `ussd-connector:${version}`)
    const { stopMs } = settings()
    assert.ok(pod.terminationGracePeriodSeconds * 1_000 > 2 * stopMs + 10_000)
  })

  describe('ask by probes', () => {
    let admin: Admin
    let [ready, nowMs, looks] = [true, 0, 0]
    before(async () => {
      const deps: Partial<AdminDeps> = {
        host: '0.0.0.0',
        port: 0,
        registry: {} as Registry,
        service: {} as AdminDeps['service'],
        flows: {} as AdminDeps['flows'],
        tokens: [{ roles: ['read'], name: 'prometheus', sha256: tokenHash(TOKEN) }],
        readiness: async () => (looks++, { ready, parts: {} }),
        now: () => nowMs,
        counters: { count: () => undefined },
        log: silentLog,
      }
      admin = await startAdmin(deps as AdminDeps)
    })
    after(() => admin?.stop())

    /** As a kubelet asks: without a token, for the address of the pod. */
    const asked = (path: string) =>
      new Promise<number>((done, fail) => {
        const headers = { connection: 'close', host: '10.42.0.7:8123', 'user-agent': 'kube-probe/1.32' }
        request({ port: admin.port, path, headers }, (answer) => done(answer.resume().statusCode!))
          .on('error', fail)
          .end()
      })

    it('what is answered to everybody, over HTTP: whether it lives, whether it is ready', async () => {
      assert.equal(await asked(container.livenessProbe.httpGet.path), 200)
      assert.equal(await asked(container.startupProbe.httpGet.path), 200)
      assert.equal(await asked(container.readinessProbe.httpGet.path), 200)
      await Promise.all(Array.from({ length: 50 }, () => asked('/ready')))
      assert.equal(looks, 1, 'a flood of strangers costs the stores nothing')
      ready = false
      nowMs += 1_000
      assert.equal(await asked(container.readinessProbe.httpGet.path), 503)
      assert.equal(await asked(container.livenessProbe.httpGet.path), 200, 'a restart would not help')
    })
  })

  it('are what the schemas of Kubernetes have', function () {
    const { error, status, stdout, stderr } = spawnSync('kubeconform', ['-strict', FOLDER], { encoding: 'utf8' })
    if (error) {
      process.stdout.write('      not checked here: the schemas of Kubernetes (no kubeconform)\n')
      return this.skip()
    }
    assert.equal(status, 0, `${stdout}${stderr}`)
  })
})
